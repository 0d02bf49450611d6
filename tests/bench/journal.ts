/**
 * The journal: durable commits against the least they can cost, the outbox on its way to the bank against bare verification of the
 * same signatures, and a start with years of history.
 */
import { execFileSync } from 'node:child_process';
import { createPublicKey, verify } from 'node:crypto';
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createBank } from '../../src-bank/bank.ts';
import { systemChance as bankChance, systemClock as bankClock } from '../../src-bank/clock.ts';
import { createLogger } from '../../src-bank/logger.ts';
import { DEFAULT_POLICY } from '../../src-bank/policy.ts';
import { fixedKey } from '../../src-bank/vault.ts';
import { money } from '../../src-contract/primitives.ts';
import { systemChance, systemClock } from '../../src-main/clock.ts';
import { openFileKeyStore } from '../../src-main/identity/file-key-store.ts';
import { openIdentity } from '../../src-main/identity/identity.ts';
import { exampleResult } from '../../src-main/journal/journal.fixture.ts';
import { type Journal, openJournal } from '../../src-main/journal/journal.ts';
import { dataPlaces } from '../../src-main/places.ts';
import { activate } from '../../src-main/provisioning/activate.ts';
import { createBankClient, type FetchPort } from '../../src-main/sync/bank-client.ts';
import { drainResults } from '../../src-main/sync/drain.ts';
import { buildJournal } from './big-journal.ts';

const COMMITS = 400;
const RESULTS = 2_000;
const SIZES = [10_000, 1_000_000] as const;
const ADMIN_TOKEN = 'bench-admin-token-of-some-length';
const never = new AbortController().signal;

export interface JournalBench {
  readonly commitsPerSecond: number;
  readonly bareSyncsPerSecond: number;
  readonly bytesPerCommit: number;
  readonly recordedPerSecond: number;
  readonly terminalPerSecond: number;
  readonly bankPerSecond: number;
  readonly verificationsPerSecond: number;
  readonly starts: readonly {
    readonly transactions: number;
    readonly fileMiB: number;
    readonly ms: number;
    readonly newestMs: number;
    readonly memoryMiB: number;
    readonly buildS: number;
  }[];
}

export async function benchJournal(): Promise<JournalBench> {
  const dir = mkdtempSync(join(tmpdir(), 'kaopass-bench-'));
  try {
    return { ...commits(dir), ...(await drained(dir)), starts: SIZES.map((size) => started(dir, size)) };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** One event of a transaction after the other, each on disk before the next; then the same bytes, written and synced alone. */
function commits(dir: string): Pick<JournalBench, 'commitsPerSecond' | 'bareSyncsPerSecond' | 'bytesPerCommit'> {
  const path = join(dir, 'commits.sqlite');
  const never = () => Promise.reject(new Error('nothing is signed here'));
  const signer = { terminalId: null, signResult: never, signErasureReceipt: never, signProtectionReceipt: never };
  const journal = openJournal({ path, clock: systemClock, chance: systemChance, signer, onAlarm: () => {} });
  const transactionId = systemChance.id();
  journal.begin({ transactionId, service: 'withdraw', personId: systemChance.id(), amount: money(10_000) });
  const logBytes = () => statSync(`${path}-wal`).size;
  const bytesBefore = logBytes();
  const commitsPerSecond = perSecond(COMMITS, () => {
    for (let n = 0; n < COMMITS; n++) journal.record(transactionId, { state: 'stacked', detail: { n } });
  });
  const bytesPerCommit = Math.round((logBytes() - bytesBefore) / COMMITS);
  journal.close();
  const file = openSync(join(dir, 'bare'), 'w');
  const bytes = Buffer.alloc(bytesPerCommit, 0x5a);
  const bareSyncsPerSecond = perSecond(COMMITS, () => {
    for (let n = 0; n < COMMITS; n++) {
      writeSync(file, bytes);
      fdatasyncSync(file);
    }
  });
  closeSync(file);
  return { commitsPerSecond, bareSyncsPerSecond, bytesPerCommit };
}

/** A queue of real results: the terminal's part against a bank that says yes at once, the bank's part on its own database. */
async function drained(
  dir: string,
): Promise<Pick<JournalBench, 'recordedPerSecond' | 'terminalPerSecond' | 'bankPerSecond' | 'verificationsPerSecond'>> {
  const bank = await createBank({
    database: { kind: 'pglite', directory: null },
    masterKey: fixedKey(new Uint8Array(32).fill(5)),
    clock: bankClock,
    chance: bankChance,
    adminToken: ADMIN_TOKEN,
    policy: DEFAULT_POLICY,
    logger: createLogger('silent'),
  });
  try {
    let bankMs = 0;
    const line: FetchPort = async (url, { method, headers, body }) => {
      const start = performance.now();
      const { pathname: path, search } = new URL(url);
      const answer = await bank.app.inject({
        method,
        url: path + search,
        headers: { ...headers },
        ...(body === undefined ? {} : { payload: body }),
      });
      bankMs += performance.now() - start;
      return new Response(answer.body, { status: answer.statusCode });
    };
    const code = await bank.app.inject({
      method: 'POST',
      url: '/admin/activation-codes',
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
      payload: '{}',
    });
    const dataDir = join(dir, 'terminal');
    await activate({
      bankUrl: 'http://127.0.0.1:1',
      activationCode: code.json().code,
      name: 'bench',
      profile: 'atm',
      dataDir,
      fetch: line,
      clock: systemClock,
      chance: systemChance,
      signal: never,
    });
    const places = dataPlaces(dataDir);
    const keyStore = await openFileKeyStore(places.keys);
    const identity = await openIdentity({ keyStore, clock: systemClock, chance: systemChance });
    const journal = openJournal({
      path: places.journal,
      clock: systemClock,
      chance: systemChance,
      signer: identity,
      onAlarm: () => {},
    });
    const recordStart = performance.now();
    for (let n = 0; n < RESULTS; n++) await journal.recordResult(exampleResult());
    const recordedPerSecond = RESULTS / ((performance.now() - recordStart) / 1_000);
    const texts = journal.outbox.results(RESULTS).map(({ body }) => body.jws);

    bankMs = 0;
    const start = performance.now();
    const parts = { journal, clock: systemClock, chance: systemChance, onAlarm: () => {} };
    const client = createBankClient({ bankUrl: 'http://127.0.0.1:1', identity, fetch: line, clock: systemClock });
    const { outcome } = await drainResults({ ...parts, bank: client } as Parameters<typeof drainResults>[0], never);
    const allMs = performance.now() - start;
    if (outcome !== 'drained' || waiting(journal) > 0) throw new Error(`the outbox was not drained: ${outcome}`);
    journal.close();

    const key = createPublicKey({ key: identity.signingPublicKey, format: 'jwk' });
    const verificationsPerSecond = perSecond(texts.length, () => {
      for (const jws of texts) {
        const at = jws.lastIndexOf('.');
        if (!verify(null, Buffer.from(jws.slice(0, at)), key, Buffer.from(jws.slice(at + 1), 'base64url'))) {
          throw new Error('a result does not verify');
        }
      }
    });
    return {
      recordedPerSecond,
      terminalPerSecond: RESULTS / ((allMs - bankMs) / 1_000),
      bankPerSecond: RESULTS / (bankMs / 1_000),
      verificationsPerSecond,
    };
  } finally {
    await bank.close();
  }
}

const waiting = (journal: Journal) => journal.outbox.results(1).length;

function started(dir: string, transactions: number): JournalBench['starts'][number] {
  const path = join(dir, `years-${transactions}.sqlite`);
  const buildStart = performance.now();
  buildJournal(path, transactions);
  const buildS = (performance.now() - buildStart) / 1_000;
  const script = join(import.meta.dirname, 'open-journal.ts');
  const said = JSON.parse(execFileSync(process.execPath, [script, path], { encoding: 'utf8' }));
  if (said.open !== 2 || said.head !== transactions) throw new Error('the journal is not the one that was built');
  const { ms, newestMs, memoryMiB } = said;
  const fileMiB = statSync(path).size / 2 ** 20;
  rmSync(path);
  return { transactions, fileMiB, ms, newestMs, memoryMiB, buildS };
}

function perSecond(times: number, run: () => void): number {
  const start = performance.now();
  run();
  return times / ((performance.now() - start) / 1_000);
}

/** The figures in words. */
export function journalInWords(bench: JournalBench): string {
  const whole = (value: number) => Math.round(value).toLocaleString('en').padStart(10);
  const ratio = (value: number) => value.toFixed(2).padStart(10);
  const [small, large] = bench.starts as [JournalBench['starts'][number], JournalBench['starts'][number]];
  const grows = (of: (start: JournalBench['starts'][number]) => number) => ratio(of(large) / of(small));
  const start = (one: JournalBench['starts'][number]) =>
    `  ${one.transactions.toLocaleString('en').padStart(9)} transactions  ${one.ms.toFixed(1).padStart(8)} ms to open, ${one.newestMs.toFixed(1)} ms for the newest 50, ${one.memoryMiB.toFixed(1)} MiB (file ${one.fileMiB.toFixed(0)} MiB)`;
  return `
Journal: durable commits of ${bench.bytesPerCommit.toLocaleString('en')} bytes each
  commits a second          ${whole(bench.commitsPerSecond)}
  bare write and sync       ${whole(bench.bareSyncsPerSecond)}
  ratio                     ${ratio(bench.commitsPerSecond / bench.bareSyncsPerSecond)}
Outbox: match results a second
  signed and recorded       ${whole(bench.recordedPerSecond)}
  sent, terminal's part     ${whole(bench.terminalPerSecond)}
  taken, bank's part        ${whole(bench.bankPerSecond)}
  signatures verified alone ${whole(bench.verificationsPerSecond)}
  ratio, terminal           ${ratio(bench.terminalPerSecond / bench.verificationsPerSecond)}
  ratio, bank               ${ratio(bench.bankPerSecond / bench.verificationsPerSecond)}
Start with history (read whole beside it)
${start(small)}
${start(large)}
  from ${small.transactions.toLocaleString('en')} to ${large.transactions.toLocaleString('en')} (times ${large.transactions / small.transactions}): opening times ${grows(({ ms }) => ms).trim()}, newest 50 times ${grows(({ newestMs }) => newestMs).trim()}`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) console.log(journalInWords(await benchJournal()));
