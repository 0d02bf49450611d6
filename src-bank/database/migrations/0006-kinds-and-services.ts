/** Which kinds of entries and which services there are is said once, in tables.ts and the contract, and not again by the database. */
export const kindsAndServices = {
  version: 6,
  name: 'kinds-and-services',
  statements: [
    'alter table entries drop constraint entries_kind_check',
    'alter table holds drop constraint holds_service_check',
  ],
} as const;
