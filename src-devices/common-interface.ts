/** XFS4IoT Common: what every service answers alike. Nonces are added by the device that has them. */
import { z } from 'zod';
import { type CommandContext, type CommandHandler, command, done, ended, failed, type Interface } from './command.ts';
import type { Dialect } from './dialect.ts';
import type { Payload } from './envelope.ts';
import { eventVersion, listedVersion } from './message-index.ts';
import type { ServiceDefinition } from './service-definition.ts';

export interface CommonParts {
  readonly definition: ServiceDefinition;
  readonly requestsMax: number;
  dialect(): Dialect;
  /** All interfaces of the service, Common included. */
  interfaces(): readonly Interface[];
  status(): Payload;
  /** Finds what to end (null ids: everything of this connection) and returns how; null when nothing matches. */
  cancel(context: CommandContext, requestIds: readonly number[] | null): (() => void) | null;
}

const Nothing = z.object({});
const Majors = z.record(z.string(), z.int().min(1));

export function commonInterface(parts: CommonParts): Interface {
  let transaction: { state: 'active' | 'inactive'; transactionID: string | null } = {
    state: 'inactive',
    transactionID: null,
  };
  const commands: Record<string, CommandHandler> = {
    'Common.Status': command(Nothing, () => done(parts.status()), { withoutDevice: true }),
    'Common.Capabilities': command(Nothing, () => done(capabilities(parts)), { withoutDevice: true }),
    'Common.Cancel': command(z.object({ requestIds: z.array(z.int().min(1)).nullish() }), ({ requestIds }, context) => {
      const afterwards = parts.cancel(context, requestIds ?? null);
      return afterwards ? { ...done(), afterwards } : failed('noMatchingRequestIDs');
    }),
    'Common.SetVersions': command(
      z.object({ commands: Majors.nullish(), events: Majors.nullish() }),
      ({ commands: wanted, events }) => {
        if (Object.keys({ ...wanted, ...events }).length === 0) {
          return ended('invalidData', 'commands, events: at least one entry of them is needed');
        }
        const listed = versions(parts);
        const strange = [
          ...Object.entries(wanted ?? {}).filter(([name, major]) => majorOf(listed.commands.get(name)) !== major),
          ...Object.entries(events ?? {}).filter(([name, major]) => majorOf(listed.events.get(name)) !== major),
        ];
        return strange.length === 0
          ? done()
          : ended('unsupportedData', `not offered: ${strange.map(([name, major]) => `${name} ${major}`).join(', ')}`);
      },
      { withoutDevice: true },
    ),
    'Common.SetTransactionState': command(
      z.object({ state: z.enum(['active', 'inactive']), transactionID: z.string().nullish() }),
      ({ state, transactionID }) => {
        if (state === 'active' && !transactionID) return ended('invalidData', 'transactionID: needed when active');
        transaction = { state, transactionID: state === 'active' ? transactionID! : null };
        return done();
      },
      { withoutDevice: true },
    ),
    'Common.GetTransactionState': command(Nothing, () => done(transaction), { withoutDevice: true }),
    ...parts.definition.common?.commands,
  };
  return {
    name: 'Common',
    commands,
    events: ['Common.StatusChangedEvent', 'Common.ErrorEvent', ...(parts.definition.common?.events ?? [])],
  };
}

const majorOf = (version: string | undefined) => (version ? Number(version.split('.')[0]) : null);

function versions(parts: CommonParts): { commands: Map<string, string>; events: Map<string, string> } {
  const all = parts.interfaces();
  return {
    commands: new Map(
      all.flatMap(({ commands }) => Object.keys(commands).map((name) => [name, listedVersion(name, parts.dialect())])),
    ),
    events: new Map(all.flatMap(({ events }) => events.map((name) => [name, eventVersion(name)]))),
  };
}

function capabilities(parts: CommonParts): Payload {
  const dialect = parts.dialect();
  const { model, common } = parts.definition;
  const named = (name: string) => (dialect.interfaceNames === 'upperCamel' ? name : lowerCamel(name));
  return {
    interfaces: parts.interfaces().map(({ name, commands, events }) => ({
      name: named(name),
      commands: Object.fromEntries(
        Object.keys(commands).map((each) => [each, { versions: [listedVersion(each, dialect)] }]),
      ),
      events: Object.fromEntries(events.map((each) => [each, { versions: [eventVersion(each)] }])),
      maximumRequests: parts.requestsMax,
    })),
    common: {
      serviceVersion: '1.0.0',
      deviceInformation: [
        {
          ...model,
          revisionNumber: '1.0',
          firmware: [{ firmwareName: model.modelName, firmwareVersion: '1.0', hardwareRevision: '1.0' }],
          software: [{ softwareName: parts.definition.name, softwareVersion: '1.0' }],
        },
      ],
      powerSaveControl: false,
      antiFraudModule: false,
      ...common?.capabilities?.(),
    },
    ...Object.fromEntries(
      parts.interfaces().flatMap((each) => {
        const own = each.capabilities?.();
        return own ? [[lowerCamel(each.name), own]] : [];
      }),
    ),
  };
}

export const lowerCamel = (name: string) => name[0]!.toLowerCase() + name.slice(1);
