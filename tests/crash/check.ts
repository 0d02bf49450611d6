/**
 * The checker: whether machine, journal, bank and customer tell one story, to the yen, after a run has settled. Knows what an
 * auditor knows, and nothing of how the terminal came to it. Answers one sentence for each thing that is not as it must be.
 */
import type { Intention, Visit } from './customer.ts';
import type { Observed, Transaction } from './observe.ts';
import type { Victim } from './world.ts';

export interface Run {
  readonly terminal: string;
  readonly victim: Victim;
  readonly intention: Intention;
  readonly visit: Visit;
}

/** Which entry at the bank follows from how a transaction ended; every other end has none. */
const ENTRY_OF: Readonly<Record<string, string>> = {
  'withdraw paid': 'withdraw',
  'deposit stored': 'deposit',
  'purchase paid': 'purchase',
  'transfer posted': 'transfer',
  'purchase stood-in': 'stand-in',
};

type At = Observed['terminals'][number];
const open = ({ journal }: At) => journal.transactions.filter(({ final }) => !final);
const keyOf = ({ service, state }: Transaction) => `${service} ${state}`;

export function violations(before: Observed, after: Observed, run: Run): string[] {
  const found: string[] = [];
  const must = (holds: boolean, sentence: () => string) => void (holds || found.push(sentence()));
  const one = after.terminals.find(({ name }) => name === run.terminal);
  const was = before.terminals.find(({ name }) => name === run.terminal);
  if (!one || !was) throw new Error(`nothing was observed of the ${run.terminal}`);

  for (const terminal of after.terminals)
    found.push(...ofCash(terminal), ...ofJournal(terminal), ...ofResults(terminal));
  found.push(...ofBooks(after));

  const known = new Set(was.journal.transactions.map(({ transactionId }) => transactionId));
  const begun = one.journal.transactions.filter(({ transactionId }) => !known.has(transactionId));
  must(begun.length <= 1, () => `${begun.length} transactions were begun by one visit`);
  const [transaction] = begun;
  const suspect = transaction !== undefined && !transaction.final;
  const moves = ['deposit', 'withdraw'].includes(run.intention.service);
  must(!suspect || moves, () => `a ${run.intention.service} is suspect, which asks no device`);
  must(!suspect || run.victim !== 'bank', () => 'a transaction is suspect though no device and no terminal failed');

  const charged = 0 - (after.books.customerMinor - before.books.customerMinor);
  const paid = transaction?.final === true && ENTRY_OF[keyOf(transaction)] !== undefined;
  const arrived = after.books.payeeMinor - before.books.payeeMinor;
  const sent = run.intention.service === 'transfer' && paid ? transaction.amountMinor : 0;
  must(arrived === sent, () => `${arrived} arrived at the payee, and ${sent} was sent`);
  const { service } = run.intention;
  if (!moves) {
    must(
      charged === (paid ? transaction.amountMinor : 0),
      () => `a ${service} is ${transaction?.state}, and ${charged} was charged`,
    );
    const { said } = run.visit;
    must(said?.name !== 'done' || paid, () => `the customer was told "done" of a ${service} that is not`);
    // "transfer-open" says that it was made once or will never be.
    const sorry = said?.name === 'sorry' && said.code !== 'transfer-open';
    must(!sorry || !paid, () => `the customer was told "sorry" of a ${service} that was charged`);
    const stirred = one.cash && was.cash && insideMinor(one) !== insideMinor(was);
    must(!stirred, () => `notes moved in a ${service}`);
    return found;
  }
  if (!one.cash || !was.cash) throw new Error(`the ${run.terminal} has no cash`);
  const { visit } = run;
  const came = one.cash.cameMinor - was.cash.cameMinor;
  const inserted = [visit.insertedMinor, visit.insertedMinor + visit.unsureMinor];
  must(inserted.includes(came), () => `${came} came into the machine, the customer put ${inserted.join(' or ')} in`);
  const taken = one.cash.handMinor - was.cash.handMinor;
  const gained = insideMinor(one) - insideMinor(was);
  const bankCash = one.terminalId in after.books.cashMinor ? after.books.cashMinor[one.terminalId]! : 0;
  const bankCashWas = one.terminalId in before.books.cashMinor ? before.books.cashMinor[one.terminalId]! : 0;
  const booked = bankCash - bankCashWas;
  must(booked === 0 - charged, () => `the bank booked ${booked} for the machine and ${-charged} for the customer`);
  if (suspect) {
    must(charged === 0, () => `a suspect ${transaction.service} was booked: ${charged}`);
    const most = transaction.service === 'withdraw' ? (transaction.amountMinor ?? 0) : came;
    must(Math.abs(gained) <= most, () => `${gained} moved in a suspect ${transaction.service} of ${most}`);
    if (transaction.service === 'withdraw') {
      const held = after.books.held.find(({ transactionId }) => transactionId === transaction.transactionId);
      must(held?.amountMinor === most, () => `a suspect withdrawal of ${most} holds ${held?.amountMinor ?? 'nothing'}`);
    }
  } else {
    // Notes given back that nobody took are the customer's, and in the machine until staff hand them out.
    const kept = transaction?.service === 'deposit' && transaction.state === 'retracted';
    const keptMinor = kept ? one.cash.retractMinor - was.cash.retractMinor : 0;
    must(!kept || keptMinor > 0, () => 'notes are said to be retracted, and no retract unit has more than before');
    must(keptMinor - gained === charged, () => `the machine gained ${gained}, and the customer was charged ${charged}`);
    must(one.cash.exitMinor === 0, () => `${one.cash?.exitMinor} still lies at the output`);
  }
  if (visit.said?.name === 'done') {
    const told = visit.said.amount?.amountMinor;
    const is = visit.said.service === 'withdraw' ? taken : came;
    must(
      told === is && Math.abs(charged) === is,
      () => `the customer was told ${told}, moved ${is}, and was charged ${charged}`,
    );
  }
  return found;
}

/** What a machine owes its customers or they it is in it for good: what lies in reach may still be taken. */
function insideMinor({ cash }: At): number {
  return cash ? cash.machineMinor - cash.exitMinor - cash.returnMinor : 0;
}

function ofCash({ name, cash }: At): string[] {
  if (!cash) return [];
  const kinds = [...new Set([...Object.keys(cash.came), ...Object.keys(cash.somewhere)])];
  return kinds
    .filter((item) => (cash.came[item] ?? 0) !== (cash.somewhere[item] ?? 0))
    .map((item) => `${name}: ${cash.came[item] ?? 0} of ${item} came, ${cash.somewhere[item] ?? 0} are somewhere`);
}

function ofJournal(terminal: At): string[] {
  const { name, journal } = terminal;
  const found = open(terminal)
    .filter(({ state }) => state !== 'suspect')
    .map(({ service, state }) => `${name}: a ${service} is still open, in state "${state}"`);
  const perDevice = Map.groupBy(open(terminal), ({ service }) => service);
  for (const [service, all] of perDevice)
    if (all.length > 1)
      found.push(`${name}: ${all.length} suspects of ${service}: its device was not blocked after the first`);
  if (journal.integrity !== 'ok') found.push(`${name}: the journal is damaged: ${journal.integrity}`);
  if (journal.waiting > 0) found.push(`${name}: ${journal.waiting} messages still wait for the bank`);
  if (journal.deadLetters > 0) found.push(`${name}: ${journal.deadLetters} messages were set aside`);
  return found;
}

function ofResults({ name, journal, chain, resultsAtBank }: At): string[] {
  const found: string[] = [];
  if (!chain.verified) found.push(`${name}: the chain does not verify: ${chain.problem}`);
  if (chain.results !== journal.results || new Set(resultsAtBank).size !== journal.results)
    found.push(`${name}: ${journal.results} results were signed, ${resultsAtBank.length} are at the bank`);
  return found;
}

function ofBooks({ books, terminals }: Observed): string[] {
  const found: string[] = [];
  if (!books.balanced) found.push('the books do not balance');
  found.push(...books.incidents.map((incident) => `the bank noticed ${incident}`));
  const all = terminals.flatMap(({ journal }) => journal.transactions);
  // By a proof that nothing was used; or, where the grant's answer never came, by the terminal's word alone: it has no nonce to ask with.
  // Both wait for the proofs of the next withdrawal, after which nothing may be held (crash.ts). Without proof, and not for that
  // reason, the bank notices an incident.
  const unconfirmed = new Set(
    books.dispenses
      .filter(({ state, toldMinor }) => state === 'unconfirmed' || (state === 'open' && toldMinor === 0))
      .map(({ transactionId }) => transactionId),
  );
  const entries = Map.groupBy(books.entries, ({ transactionId }) => transactionId);
  for (const transaction of all) {
    const kinds = (entries.get(transaction.transactionId) ?? []).map(({ kind }) => kind);
    const wanted = transaction.final ? ENTRY_OF[keyOf(transaction)] : undefined;
    if (String(kinds) === String(wanted ?? '')) continue;
    if (wanted && kinds.length === 0 && unconfirmed.has(transaction.transactionId)) continue;
    found.push(`a ${keyOf(transaction)} has ${kinds.length === 0 ? 'no entry' : `the entries ${kinds.join(', ')}`}`);
  }
  const knownIds = new Set(all.map(({ transactionId }) => transactionId));
  for (const id of entries.keys())
    if (!knownIds.has(id)) found.push(`an entry is for transaction ${id}, which no journal has`);
  const mayHold = new Set(all.filter(({ final }) => !final).map(({ transactionId }) => transactionId));
  for (const { transactionId, amountMinor } of books.held)
    if (!mayHold.has(transactionId) && !unconfirmed.has(transactionId))
      found.push(`${amountMinor} is held for a transaction that is over`);
  return found;
}
