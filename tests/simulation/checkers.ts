/**
 * What an auditor checks, with means of their own: the bank's tables read directly, the terminals' journal files read as files, hands
 * counted, screens and receipts read. Nothing here asks the code under test what it thinks.
 */
import { createHash, createPublicKey, verify } from 'node:crypto';
import Database from 'better-sqlite3';
import { START_MS } from '../support/virtual-time.ts';
import type { BankRoom } from './bank-room.ts';
import type { SimulatedTerminal } from './terminal.ts';
import { type ExpectedEntry, expectedOf, untruthsOf, type Window } from './truth.ts';
import type { World } from './world.ts';

interface EntryRow {
  readonly entry_id: string;
  readonly entry_seq: number;
  readonly kind: string;
  readonly transaction_id: string;
  readonly terminal_id: string;
  readonly recorded_at: number;
  readonly kinds: string[];
  readonly owners: (string | null)[];
  readonly numbers: (string | null)[];
  readonly credits: number[];
}

interface ResultRow {
  readonly terminal_id: string;
  readonly sequence: number;
  readonly jws: string;
}

interface Claims {
  readonly sequence: number;
  readonly previousHash: string | null;
  readonly terminalId: string;
  readonly resultId: string;
  readonly transactionId: string | null;
  readonly personId: string | null;
  readonly service: string;
  readonly outcome: string;
  readonly amount: { readonly amountMinor: number } | null;
}

export class Checkers {
  readonly #world: World;
  readonly #terminals: readonly SimulatedTerminal[];
  /** Who each of the bank's people is. */
  readonly #people = new Map<string, number>();
  /** Entries read before; the bank's are never changed, which its own database sees to. */
  readonly #entries: EntryRow[] = [];

  constructor(world: World, terminals: readonly SimulatedTerminal[]) {
    this.#world = world;
    this.#terminals = terminals;
  }

  get #bank(): BankRoom {
    return this.#world.bank;
  }

  /** After every visit and every settling: what must not be wrong even while things go wrong. */
  async after(terminal: SimulatedTerminal): Promise<void> {
    for (const untrue of terminal.window ? untruthsOf(terminal.window) : []) {
      this.#world.violation('people', `${terminal.name}, ${nameOf(terminal.window!)}: ${untrue}`);
    }
    await this.#world.time.during(this.#books('no entry too many'));
  }

  /** When all is healed and everything had time to settle. */
  async end(): Promise<void> {
    await this.#world.time.during(
      (async () => {
        await this.#books('each entry exactly once');
        await this.#holds();
        await this.#standIns();
        await this.#forgotten();
        await this.#results();
        await this.#dayCloses();
      })(),
    );
    for (const terminal of this.#terminals) {
      this.#receipts(terminal, await this.#bank.rows<{ transaction_id: string }>('select transaction_id from entries'));
      this.#suspects(terminal);
      this.#kept(terminal);
      this.#journal(terminal);
    }
  }

  /** Null when nothing is left to wait for, else what. */
  async unsettled(): Promise<string | null> {
    for (const terminal of this.#terminals) {
      if (!terminal.running) return `${terminal.name} does not serve`;
      const left = look(terminal.journalPath);
      if (left.waiting > 0) return `${terminal.name}: ${left.waiting} messages wait (${left.lastError ?? 'untried'})`;
      if (left.open.some(({ state }) => state !== 'suspect')) {
        return `${terminal.name}: a transaction is left in state "${left.open.find(({ state }) => state !== 'suspect')?.state}"`;
      }
    }
    const [unsigned] = await this.#world.time.during(
      this.#bank.rows<{ person_id: string; receipts: number }>(
        `select w.person_id, count(r.terminal_id)::int as receipts from people w left join erasure_receipts r using (person_id)
         where w.status = 'erased' group by w.person_id
         having count(r.terminal_id) <> (select count(*) from terminals)`,
      ),
    );
    if (unsigned) return `${unsigned.receipts} terminals signed that they forgot ${unsigned.person_id}`;
    return null;
  }

  async #books(strictness: 'no entry too many' | 'each entry exactly once'): Promise<void> {
    const { bank, violation } = { bank: this.#bank, violation: this.#world.violation.bind(this.#world) };
    const known = this.#entries.at(-1)?.entry_seq ?? 0;
    if (strictness === 'no entry too many') {
      const [newest] = await bank.rows<{ entry_seq: number | null }>('select max(entry_seq) as entry_seq from entries');
      if (newest?.entry_seq === known || newest?.entry_seq === null) return;
    }
    const found = await bank.rows<EntryRow>(
      `select e.entry_id, e.entry_seq, e.kind, e.transaction_id, e.terminal_id, e.recorded_at,
         array_agg(a.kind order by line) as kinds, array_agg(a.owner_id::text order by line) as owners,
         array_agg(a.number order by line) as numbers,
         array_agg(p.credit_minor order by line)::text[] as credits
       from entries e join postings p using (entry_id) join accounts a using (account_id)
       where e.entry_seq > $1 group by e.entry_id order by e.entry_seq`,
      [known],
    );
    this.#entries.push(...found);
    await this.#meet();
    if (strictness === 'each entry exactly once') {
      const [wrong] = await bank.rows<{ account_id: string }>(
        `select a.account_id from accounts a left join postings p using (account_id)
         group by a.account_id having a.balance_minor <> coalesce(sum(p.credit_minor), 0)`,
      );
      if (wrong) violation('books', `account ${wrong.account_id} is not the sum of its postings`);
    }
    const final = strictness === 'each entry exactly once';
    const windows = this.#windows();
    const left = windows.flatMap((window) => expectedOf(window, windows) ?? []);
    const charges = this.#entries.filter(({ kind }) => kind !== 'given-back').map((entry) => ({ entry, given: false }));
    for (const back of this.#entries.filter(({ kind }) => kind === 'given-back')) {
      const [credit, owner] = [Number(back.credits[back.kinds.indexOf('customer')] ?? 0), ownerOf(back)];
      const of = charges.find(
        ({ entry, given }) => !given && ownerOf(entry) === owner && Math.abs(Number(entry.credits[0])) === credit,
      );
      if (of) of.given = true;
      else violation('books', `${credit} were given back to ${owner} for no charge`);
    }
    const names = new Map(this.#terminals.map(({ terminalId, name }) => [terminalId, name]));
    for (const { entry, given } of charges) {
      const credits = entry.credits.map(Number);
      if (credits.reduce((sum, one) => sum + one, 0) !== 0)
        violation('books', `entry ${entry.entry_id} does not balance`);
      const at = entry.kinds.findIndex((kind) => kind === 'customer' || kind === 'suspense');
      const amountMinor = (credits[at] ?? 0) * (entry.kind === 'deposit' ? 1 : -1);
      const person = this.#people.get(ownerOf(entry) ?? '');
      const payer = given || entry.kinds[at] === 'suspense' ? 'bank' : 'person';
      const terminal = names.get(entry.terminal_id);
      const matches = (one: ExpectedEntry) =>
        (one.person === person || entry.kinds[at] === 'suspense') &&
        (one.payer === payer || one.payer === 'either' || (one.payer === 'bank' && !final)) &&
        one.terminal === terminal &&
        one.kinds.includes(entry.kind) &&
        (one.payeeNumber === null || one.payeeNumber === entry.numbers[1]) &&
        one.amountMinor === amountMinor;
      const sure = left.findIndex((one) => matches(one) && !one.optional);
      const match = sure === -1 ? left.findIndex(matches) : sure;
      if (match === -1) {
        const who = payer === 'bank' ? 'the bank' : `person ${person}`;
        violation('books', `${terminal}: a ${entry.kind} of ${amountMinor} by ${who} that never happened`);
      } else left.splice(match, 1);
    }
    if (strictness === 'no entry too many') return;
    for (const one of left.filter(({ optional }) => !optional)) {
      violation(
        'books',
        `${one.terminal}: person ${one.person}'s ${one.kinds.join(' or ')} of ${one.amountMinor} is not booked`,
      );
    }
  }

  /** Of everybody who withdrew consent the bank has no face and no PIN, and of each terminal one signed receipt. */
  async #forgotten(): Promise<void> {
    const [left] = await this.#bank.rows<{ person_id: string }>(
      `select person_id from people where status = 'erased'
         and (pin_hash <> '' or exists (select 1 from templates t where t.person_id = people.person_id))`,
    );
    if (left) this.#world.violation('people', `${left.person_id} withdrew consent, and the bank still knows them`);
    for (const window of this.#windows()) {
      if (window.visit.service !== 'opt-out' || !window.get('done')) continue;
      const ids = [...this.#people].filter(([, person]) => person === window.visit.person).map(([id]) => id);
      const [gone] = await this.#bank.rows(
        "select 1 from people where status = 'erased' and person_id = any($1::uuid[])",
        [ids],
      );
      if (!gone) this.#world.violation('people', `${nameOf(window)}: "done", and the bank knows nothing of it`);
    }
  }

  /** The policy's limits, for what one terminal let through while the bank had not heard of it. */
  async #standIns(): Promise<void> {
    const { tiers, perPerson, perTerminal } = this.#bank.policy.standIn.services.purchase;
    const perTransactionMinor = Math.max(...tiers.map((tier) => tier.perTransactionMinor));
    for (const terminal of this.#terminals) {
      const passed = [...terminal.windows, ...(terminal.window ? [terminal.window] : [])].flatMap((window) => {
        const done = window.get('done');
        return done?.standIn && done.amount
          ? [{ person: window.visit.person, amountMinor: done.amount.amountMinor, at: window.doneAt ?? 0 }]
          : [];
      });
      const heard = (entry: EntryRow) => Number(entry.recorded_at) - START_MS;
      const entries = this.#entries.filter(
        ({ kind, terminal_id }) => kind === 'stand-in' && terminal_id === terminal.terminalId,
      );
      // In order of happening, which is the order of telling: the queue is one.
      for (const [at, one] of passed.entries()) {
        const waiting = passed
          .slice(0, at + 1)
          .filter((_, before) => entries[before] && heard(entries[before]) > one.at);
        const sum = (some: typeof waiting) => some.reduce((total, { amountMinor }) => total + amountMinor, 0);
        const ofPerson = sum(waiting.filter(({ person }) => person === one.person));
        const breach = (what: string) => this.#world.violation('stand-in', `${terminal.name}: ${what}`);
        if (one.amountMinor > perTransactionMinor) breach(`${one.amountMinor} in one transaction`);
        if (ofPerson > perPerson.amountMinor) breach(`${ofPerson} by person ${one.person} while the bank was away`);
        if (sum(waiting) > perTerminal.amountMinor) breach(`${sum(waiting)} in all while the bank was away`);
      }
    }
  }

  #windows(): Window[] {
    return this.#terminals.flatMap(({ windows, window }) => (window ? [...windows, window] : windows));
  }

  /** Learns whom the bank enrolled: whoever stood at that terminal to be enrolled at the time. */
  async #meet(): Promise<void> {
    const rows = await this.#bank.rows<{ person_id: string; enrolled_by: string; enrolled_at: string }>(
      'select person_id, enrolled_by, enrolled_at from people',
    );
    for (const row of rows) {
      if (this.#people.has(row.person_id)) continue;
      const terminal = this.#terminals.find(({ terminalId }) => terminalId === row.enrolled_by);
      const at = Number(row.enrolled_at) - this.#world.time.now() + this.#world.time.monotonicMs();
      const windows = terminal ? [...terminal.windows, ...(terminal.window ? [terminal.window] : [])] : [];
      const window = windows.findLast(({ visit, beganAt }) => visit.service === 'enrol' && beganAt <= at + 1);
      if (!window) this.#world.violation('people', `the bank enrolled ${row.person_id}, and nobody asked for it`);
      else this.#people.set(row.person_id, window.visit.person);
    }
  }

  async #holds(): Promise<void> {
    const suspects = new Set(
      this.#windows().flatMap(({ suspects: seen }) =>
        seen.filter(({ countedMinor }) => countedMinor === null).map(({ transactionId }) => transactionId),
      ),
    );
    const held = await this.#bank.rows<{ transaction_id: string; service: string; amount_minor: number }>(
      "select transaction_id, service, amount_minor from holds where state = 'held'",
    );
    for (const { transaction_id, service, amount_minor } of held) {
      if (suspects.has(transaction_id)) continue;
      this.#world.violation('books', `${amount_minor} are held for a ${service} that is over`);
    }
    const [incident] = await this.#bank.rows<{ code: string; detail: string }>(
      `select code, detail from incidents where code not in ('unauthenticated', 'invalid-request', 'charge-after-withdrawal', 'count-without-code', 'day-close-differs')`,
    );
    if (incident) this.#world.violation('books', `the bank noticed "${incident.code}": ${incident.detail}`);
  }

  /** Each chain whole, signed, without gap, fork or repeat; each entry with exactly one result that says so. */
  async #results(): Promise<void> {
    const { violation } = { violation: this.#world.violation.bind(this.#world) };
    const rows = await this.#bank.rows<ResultRow>(
      'select terminal_id, sequence, jws from match_results order by terminal_id, sequence',
    );
    const keys = await this.#bank.rows<{ terminal_id: string; signing_key: string }>(
      'select terminal_id, signing_key from terminals',
    );
    const accepted = new Map<string, Claims[]>();
    for (const terminal of this.#terminals) {
      const chain = rows.filter(({ terminal_id }) => terminal_id === terminal.terminalId);
      const x = keys.find(({ terminal_id }) => terminal_id === terminal.terminalId)?.signing_key ?? '';
      const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
      let previous: string | null = null;
      for (const [at, { jws, sequence }] of chain.entries()) {
        const [header = '', payload = '', signature = ''] = jws.split('.');
        const good = verify(null, Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, 'base64url'));
        const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Claims;
        const where = `${terminal.name}, result ${sequence}`;
        if (!good) violation('results', `${where}: the signature is not the terminal's`);
        if (sequence !== at + 1 || claims.sequence !== at + 1)
          violation('results', `${where} stands in place ${at + 1}`);
        if (claims.previousHash !== previous) violation('results', `${where} does not follow the one before`);
        if (claims.terminalId !== terminal.terminalId) violation('results', `${where} is of another terminal`);
        previous = createHash('sha256').update(jws).digest('base64url');
        if (claims.outcome === 'accepted' && claims.transactionId) {
          accepted.set(claims.transactionId, [...(accepted.get(claims.transactionId) ?? []), claims]);
        }
      }
      const known = chain.map(({ jws }) => jws);
      if (JSON.stringify(known) !== JSON.stringify(terminal.signed)) {
        violation(
          'results',
          `${terminal.name} signed ${terminal.signed.length} results, and the bank has ${known.length}`,
        );
      }
    }
    for (const { transaction_id, kind, credits } of this.#entries) {
      if (kind === 'given-back') continue;
      const service = kind === 'stand-in' ? 'purchase' : kind;
      // Who corrects the amount of a transfer is looked at again.
      const results = (accepted.get(transaction_id) ?? []).filter(
        ({ amount }) => kind !== 'transfer' || amount?.amountMinor === Math.abs(Number(credits[0])),
      );
      if (results.length !== 1 || results[0]?.service !== service) {
        violation('results', `a ${kind} rests on ${results.length} results`);
      }
    }
  }

  /** Each close at the bank once and in its place; no transaction differs, and no note but where a person or a fault moved it. */
  async #dayCloses(): Promise<void> {
    const rows = await this.#bank.rows<{ terminal_id: string; number: number; jws: string; answer: string }>(
      'select terminal_id, number, jws, answer from day_closes order by terminal_id, number',
    );
    for (const terminal of this.#terminals) {
      const known = rows.filter(({ terminal_id }) => terminal_id === terminal.terminalId);
      const { closes } = look(terminal.journalPath);
      if (JSON.stringify(closes) !== JSON.stringify(known.map(({ jws }) => jws))) {
        this.#world.violation(
          'books',
          `${terminal.name} closed ${closes.length} days, and the bank has ${known.length}`,
        );
      }
      for (const { number, answer } of known) {
        const { differences, cashDifferenceNotes } = JSON.parse(answer) as {
          differences: unknown[];
          cashDifferenceNotes: number | null;
        };
        const of = `${terminal.name}, day close ${number}`;
        if (differences.length > 0) this.#world.violation('books', `${of}: ${JSON.stringify(differences)}`);
        if (cashDifferenceNotes && !terminal.notesMovedByHand) {
          this.#world.violation('cash', `${of}: ${cashDifferenceNotes} notes differ, and nobody moved any`);
        }
      }
    }
  }

  /** What paper says: the amount, and a reference under which the bank finds exactly that. */
  #receipts(terminal: SimulatedTerminal, entries: readonly { transaction_id: string }[]): void {
    for (const window of [...terminal.windows, ...(terminal.window ? [terminal.window] : [])]) {
      const expected = expectedOf(window);
      if (window.receipts.length > 1)
        this.#world.violation('people', `${nameOf(window)}: ${window.receipts.length} receipts`);
      for (const text of window.receipts) {
        const line =
          /(?:Deposited|Paid out|Transferred|Total|お預け入れ金額|お引き出し金額|お振り込み金額|合計)\s*[^\d]*([\d,]+)/.exec(
            text,
          );
        const amount = Number((line?.[1] ?? '').replaceAll(',', ''));
        if (!expected || amount !== expected.amountMinor) {
          this.#world.violation(
            'people',
            `${nameOf(window)}: the receipt says ${line?.[1] ?? 'nothing'}, and ${expected?.amountMinor ?? 'nothing'} happened`,
          );
        }
        const reference = /(?:Reference|取扱番号)\s+([0-9A-F]{8})/.exec(text)?.[1]?.toLowerCase() ?? 'none';
        if (!entries.some(({ transaction_id }) => transaction_id.endsWith(reference))) {
          this.#world.violation('people', `${nameOf(window)}: the receipt's reference ${reference} names no entry`);
        }
      }
    }
  }

  #suspects(terminal: SimulatedTerminal): void {
    for (const window of [...terminal.windows, ...(terminal.window ? [terminal.window] : [])]) {
      for (const { transactionId, couldSay } of window.suspects) {
        if (!couldSay || window.silence) continue;
        this.#world.violation('progress', `${nameOf(window)}: ${transactionId} is suspect, and the device could say`);
      }
      if (window.suspects.length > 1) this.#world.violation('progress', `${nameOf(window)}: several suspects`);
    }
  }

  /** Whoever put notes in has them booked, in reach again, or in a suspect that says so. */
  #kept(terminal: SimulatedTerminal): void {
    for (const window of this.#windows().filter(({ visit }) => visit.terminal === terminal.name)) {
      const keptMinor = window.broughtMinor - window.storedMinor - window.offeredBackMinor;
      if (keptMinor > 0 && window.suspects.length === 0) {
        this.#world.violation('people', `${nameOf(window)}: ${keptMinor} were kept, and nobody knows`);
      }
    }
  }

  #journal(terminal: SimulatedTerminal): void {
    const { dead } = look(terminal.journalPath);
    for (const reason of dead)
      this.#world.violation('progress', `${terminal.name}: a message was set aside: ${reason}`);
  }
}

function ownerOf({ kinds, owners }: EntryRow): string | null {
  return owners[kinds.indexOf('customer')] ?? null;
}

function nameOf({ visit }: Window): string {
  return `person ${visit.person}'s ${visit.service}`;
}

/** What a journal's file says of what is still to be done. */
function look(path: string) {
  const db = new Database(path, { readonly: true });
  try {
    return {
      waiting: db.prepare("select count(*) from outbox where state = 'waiting'").pluck().get() as number,
      lastError: db.prepare("select max(last_error) from outbox where state = 'waiting'").pluck().get() as
        | string
        | null,
      closes: db.prepare('select jws from day_closes order by number').pluck().all() as string[],
      dead: db.prepare('select reason from dead_letters').pluck().all() as string[],
      open: db
        .prepare(
          `select (select state from transaction_events e where e.transaction_id = t.transaction_id order by number desc limit 1) as state
           from transactions t where not exists
             (select 1 from transaction_events e where e.transaction_id = t.transaction_id and e.final = 1)`,
        )
        .all() as { state: string }[],
    };
  } finally {
    db.close();
  }
}
