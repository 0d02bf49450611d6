/** What a technician sees at once: is it activated, does the bank answer, what waits, what was left open. Changes nothing. */
import { existsSync } from 'node:fs';
import type { Policy } from '../../src-contract/policy.ts';
import { Service, type WallTimeMs } from '../../src-contract/primitives.ts';
import { type Clock, deadline } from '../clock.ts';
import { inspectGallery } from '../gallery/inspection.ts';
import { type Activation, readActivation } from '../identity/activation.ts';
import { openFileKeyStore } from '../identity/file-key-store.ts';
import type { KeyStore } from '../identity/key-store.ts';
import { type Inspection, inspectJournal } from '../journal/inspection.ts';
import type { Alarm, Memory } from '../journal/journal.ts';
import { dataPlaces } from '../places.ts';
import { openPolicyBook } from '../policy/policy-book.ts';
import { clockWords, policyWords } from '../policy/standing.ts';
import { createTrustedTime } from '../policy/trusted-time.ts';
import { RECOVERY, ruleFor } from '../session/recovery-table.ts';
import { createBankClient, type FetchPort } from '../sync/bank-client.ts';
import { runningTerminal } from './running-terminal.ts';

export interface Status {
  /** Null before activation. */
  readonly terminal: Pick<Activation, 'terminalId' | 'name' | 'profile' | 'bankUrl' | 'activatedAt'> | null;
  /** Null before activation: there is no bank to ask. */
  readonly bank: { readonly answers: boolean; readonly reason: string | null } | null;
  /** The one the terminal decides by; null when none verifies, and before activation. */
  readonly policy: Pick<Policy, 'version' | 'issuedAt' | 'expiresAt'> | null;
  /** What keeps the terminal out of service, or soon will: policy and clock, a sentence each. */
  readonly faults: readonly string[];
  /** Null before the terminal first ran. */
  readonly journal: Inspection | null;
  /** What only a technician's count can end, oldest first; of the journal's open transactions. */
  readonly suspects: readonly SuspectSeen[];
  readonly gallery: ReturnType<typeof inspectGallery>;
  /** Of the embedder before; null where there is one embedder. */
  readonly galleryBefore: ReturnType<typeof inspectGallery>;
  /** Opens the technician's page once; null while the terminal does not run. */
  readonly servicePage: string | null;
}

export interface SuspectSeen {
  readonly transactionId: string;
  readonly service: string;
  readonly begunAt: number;
  /** Why nobody knows how it ended; null where nothing was written down. */
  readonly why: string | null;
  /** The device that serves nobody until then; null for a service of a newer version. */
  readonly blocks: string | null;
}

/** Longest wait for the bank, ms: a technician stands before the machine. */
const BANK_TIMEOUT_MS = 3_000;
/** As the devices call themselves, and the log. */
const NAMES = { cashDispenser: 'cash-dispenser', cashAcceptor: 'cash-acceptor' } as const;
/** For a program on this machine, ms. */
const SERVICE_PAGE_TIMEOUT_MS = 1_000;

export async function statusOf(options: {
  readonly dataDir: string;
  readonly fetch: FetchPort;
  readonly clock: Clock;
}): Promise<Status> {
  const places = dataPlaces(options.dataDir);
  // Opening a key store makes its directory, and looking must not.
  const keyStore = existsSync(places.keys) ? await openFileKeyStore(places.keys) : null;
  const activation = keyStore && (await readActivation(keyStore));
  const bank = activation && (await askBank(activation.bankUrl, options));
  const journal = inspectJournal(places.journal);
  return {
    terminal: activation && publicPartOf(activation),
    bank: bank && { answers: bank.answers, reason: bank.reason },
    ...(keyStore && activation
      ? await policyAndClock(
          { keyStore, activation, journal, askedMs: bank?.askedMs ?? 0, bankTime: bank?.time },
          options,
        )
      : { policy: null, faults: [] }),
    journal,
    suspects: suspectsIn(journal),
    gallery: inspectGallery(places.gallery),
    galleryBefore: inspectGallery(places.galleryBefore),
    servicePage: await askServicePage(places.servicePage, options),
  };
}

/** As the terminal itself sees them when it starts, and by what the bank has just said. */
async function policyAndClock(
  known: {
    readonly keyStore: KeyStore;
    readonly activation: Activation;
    readonly journal: Inspection | null;
    readonly bankTime: WallTimeMs | undefined;
    /** Monotonic ms. */
    readonly askedMs: number;
  },
  { clock }: { readonly clock: Clock },
): Promise<Pick<Status, 'policy' | 'faults'>> {
  const { keyStore, activation, journal, bankTime, askedMs } = known;
  const kept = { signedPolicy: journal?.signedPolicy ?? null, times: journal?.times ?? null };
  const memory: Memory = { get: (key) => kept[key], put: () => {} };
  const time = createTrustedTime(memory, clock);
  const alarms: string[] = [];
  const onAlarm = ({ message }: Alarm) => void alarms.push(message);
  const quiet = { info: () => {}, warn: () => {} };
  const policy = (await openPolicyBook({ memory, activation, keyStore, time, log: quiet, onAlarm })).current();
  if (bankTime !== undefined) time.bankSaid(bankTime, askedMs);
  const words = [...clockWords(time.clockError()), ...policyWords(policy, time.now())];
  return {
    policy: policy && { version: policy.version, issuedAt: policy.issuedAt, expiresAt: policy.expiresAt },
    faults: [...alarms, ...words.map(({ en }) => en)],
  };
}

function suspectsIn(journal: Inspection | null): SuspectSeen[] {
  return (journal?.openTransactions ?? []).flatMap(({ transactionId, service, state, begunAt, why }) => {
    const known = Service.safeParse(service).data;
    if (known && ruleFor(known, state).rule !== 'suspect') return [];
    const device = known ? RECOVERY[known].device : null;
    return [{ transactionId, service, begunAt, why, blocks: device && NAMES[device] }];
  });
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

interface BankSaid {
  readonly answers: boolean;
  readonly reason: string | null;
  readonly time: WallTimeMs | undefined;
  /** Monotonic ms. */
  readonly askedMs: number;
}

async function askBank(bankUrl: string, { fetch, clock }: { fetch: FetchPort; clock: Clock }): Promise<BankSaid> {
  const identity = { assertRequest: () => Promise.reject(new Error('health needs no assertion')) };
  const askedMs = clock.monotonicMs();
  using limit = deadline(clock, BANK_TIMEOUT_MS);
  try {
    const { time } = await createBankClient({ bankUrl, identity, fetch, clock }).health(limit.signal);
    return { answers: true, reason: null, time, askedMs };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { answers: false, reason, time: undefined, askedMs };
  }
}
