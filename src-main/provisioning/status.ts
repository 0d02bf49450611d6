/** What a technician sees at once: is it activated, does the bank answer, what waits, what was left open. Changes nothing. */
import { existsSync } from 'node:fs';
import { type Clock, deadline } from '../clock.ts';
import { inspectGallery } from '../gallery/inspection.ts';
import { type Activation, readActivation } from '../identity/activation.ts';
import { openFileKeyStore } from '../identity/file-key-store.ts';
import { type Inspection, inspectJournal } from '../journal/inspection.ts';
import { dataPlaces } from '../places.ts';
import { createBankClient, type FetchPort } from '../sync/bank-client.ts';
import { runningTerminal } from './running-terminal.ts';

export interface Status {
  /** Null before activation. */
  readonly terminal: Pick<Activation, 'terminalId' | 'name' | 'profile' | 'bankUrl' | 'activatedAt'> | null;
  /** Null before activation: there is no bank to ask. */
  readonly bank: { readonly answers: boolean; readonly reason: string | null } | null;
  /** Null before the terminal first ran. */
  readonly journal: Inspection | null;
  readonly gallery: { readonly templates: number; readonly cursor: number } | null;
  /** Opens the technician's page once; null while the terminal does not run. */
  readonly servicePage: string | null;
}

/** Longest wait for the bank, ms: a technician stands before the machine. */
const BANK_TIMEOUT_MS = 3_000;
/** For a program on this machine, ms. */
const SERVICE_PAGE_TIMEOUT_MS = 1_000;

export async function statusOf(options: {
  readonly dataDir: string;
  readonly fetch: FetchPort;
  readonly clock: Clock;
}): Promise<Status> {
  const places = dataPlaces(options.dataDir);
  // Opening a key store makes its directory, and looking must not.
  const activation = existsSync(places.keys) ? await readActivation(await openFileKeyStore(places.keys)) : null;
  return {
    terminal: activation && publicPartOf(activation),
    bank: activation && (await askBank(activation.bankUrl, options)),
    journal: inspectJournal(places.journal),
    gallery: inspectGallery(places.gallery),
    servicePage: await askServicePage(places.servicePage, options),
  };
}

async function askServicePage(addressFile: string, { fetch, clock }: { fetch: FetchPort; clock: Clock }) {
  using limit = deadline(clock, SERVICE_PAGE_TIMEOUT_MS);
  // A file that a power cut left behind names a terminal that is no more.
  return (
    (await runningTerminal(addressFile, fetch)
      ?.pageUrl(limit.signal)
      .catch(() => null)) ?? null
  );
}

function publicPartOf({ terminalId, name, profile, bankUrl, activatedAt }: Activation): Status['terminal'] {
  return { terminalId, name, profile, bankUrl, activatedAt };
}

async function askBank(bankUrl: string, { fetch, clock }: { fetch: FetchPort; clock: Clock }): Promise<Status['bank']> {
  const identity = { assertRequest: () => Promise.reject(new Error('health needs no assertion')) };
  using limit = deadline(clock, BANK_TIMEOUT_MS);
  try {
    await createBankClient({ bankUrl, identity, fetch, clock }).health(limit.signal);
    return { answers: true, reason: null };
  } catch (error) {
    return { answers: false, reason: error instanceof Error ? error.message : String(error) };
  }
}
