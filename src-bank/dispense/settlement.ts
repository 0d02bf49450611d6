/**
 * What becomes of a withdrawal that was granted a token: decided by what the dispenser proves, never by the terminal's word.
 *
 * A proof shows the dispenser at one moment. That the token was used up by then settles at once. That it was not used, or not
 * all of it, shows nothing about the moment after: a terminal could prove "not used", have the money released, and then
 * dispense. Such a hold stays until it is certain that the token had died before the dispenser was asked:
 *
 *  - a dispenser keeps one nonce at a time and none twice, so a later grant's token being used proves that the earlier
 *    grant's nonce was gone when the later nonce was given, which was before the later response nonce was known;
 *  - so a proof over the later response nonce, made before the later token was used (priorProof), shows the final state of
 *    what came before: the last token used, and how much of it was presented.
 *
 * It holds only where nobody can know a nonce before the dispenser gives it; a counter confirms nothing. docs/threat-model.md
 * says what remains.
 */
import type { PostingAnswer } from '../../src-contract/bank-api.ts';
import type { PresentReport } from '../../src-contract/security-token.ts';
import { endHold, type Hold, lockHoldById } from '../accounts/holds.ts';
import { accountView, CURRENCY, lockCustomerAccount } from '../accounts/ledger.ts';
import type { BankContext } from '../context.ts';
import type { DbTransaction } from '../database/database.ts';
import type { GrantState } from '../database/tables.ts';
import type { Terminal } from '../fleet/request-assertion.ts';
import { type IncidentCode, recordIncident } from '../results/incidents.ts';
import { type ProofRules, proofRulesSince } from './keys.ts';
import { type Finding, findingOf, isUnforeseeable, type Proof, readProof } from './proof.ts';

type Held = Extract<PostingAnswer, { outcome: 'held' }>['reason'];

interface Grant {
  readonly hold_id: string;
  readonly grant_seq: number;
  readonly key_version: number;
  readonly command_nonce: string;
  readonly response_nonce: string;
  readonly dispense_id: string;
  readonly amount_minor: number;
  readonly state: GrantState;
  readonly told_minor: number | null;
}

/** Proofs of a used token from which nobody can tell what was paid. */
const DOUBTS: Readonly<
  Record<Exclude<Finding, { paidMinor: number }>['finding'], { code: IncidentCode; why: string; reason: Held }>
> = {
  uncounted: {
    code: 'dispense-uncounted',
    why: 'notes came back, and the dispenser did not count them',
    reason: 'proof-uncounted',
  },
  partial: {
    code: 'dispense-partial',
    why: 'less than the token allows was dispensed, and the figures leave out what came before under it',
    reason: 'proof-partial',
  },
  impossible: {
    code: 'dispense-contradicted',
    why: 'the dispenser proves what the token did not cover',
    reason: 'proof-contradicts',
  },
};

/** What the terminal says, and what it brought of the dispenser. */
export interface Report {
  readonly paidMinor: number;
  readonly proof: string | null;
  readonly priorProof: string | null;
  /** The terminal never got the grant, or says so: then it has no nonce to ask with. */
  readonly unanswered: boolean;
}

/** The hold's grant; undefined where none was made. The dispenser must be locked. */
export async function findGrant(tx: DbTransaction, holdId: string): Promise<Grant | undefined> {
  return await grants(tx).where('hold_id', '=', holdId).executeTakeFirst();
}

function grants(tx: DbTransaction) {
  return tx
    .selectFrom('dispense_grants')
    .select(['hold_id', 'grant_seq', 'key_version', 'command_nonce', 'response_nonce', 'dispense_id'])
    .select(['amount_minor', 'state', 'told_minor']);
}

export async function settleGranted(
  context: BankContext,
  tx: DbTransaction,
  terminal: Terminal,
  { hold, grant, report }: { hold: Hold; grant: Grant; report: Report },
): Promise<PostingAnswer> {
  const desk = new Desk(context, tx, terminal);
  const held = hold.state === 'held' ? await desk.judge(hold, grant, report) : await desk.compare(hold, report);
  const account = await lockCustomerAccount(context, tx, { accountId: hold.account_id });
  const view = account ? accountView(account) : null;
  return held === null ? { outcome: 'posted', account: view } : { outcome: 'held', reason: held, account: view };
}

/** One report of one terminal, in one db transaction. */
class Desk {
  readonly #context: BankContext;
  readonly #tx: DbTransaction;
  readonly #terminal: Terminal;

  constructor(context: BankContext, tx: DbTransaction, terminal: Terminal) {
    this.#context = context;
    this.#tx = tx;
    this.#terminal = terminal;
  }

  /** Settled before, by a later withdrawal's proofs: the terminal's word changes nothing. */
  async compare(hold: Hold, report: Report): Promise<Held | null> {
    const paidMinor = hold.captured_minor ?? 0;
    if (report.paidMinor === paidMinor) return null;
    await this.#tell('dispense-contradicted', hold, `settled as ${paidMinor}, reported as ${report.paidMinor}`);
    return 'proof-contradicts';
  }

  /** Null when it is settled, else why the money stays held. */
  async judge(hold: Hold, grant: Grant, report: Report): Promise<Held | null> {
    await this.#mark(grant, { told_minor: report.paidMinor });
    const proof = await this.#read(report.proof, grant);
    if (proof.is === 'missing' && report.unanswered) return 'unconfirmed';
    if (proof.is !== 'valid') {
      const why = proof.is === 'invalid' ? `the proof is refused: ${proof.why}` : 'the proof is missing';
      await this.#tell('dispense-unproven', hold, why, report.proof);
      return proof.is === 'invalid' ? 'proof-invalid' : 'proof-missing';
    }
    await this.#mark(grant, { proof: report.proof });
    const used = proof.report.dispenseId === grant.dispense_id;
    const outcome = used
      ? await this.#used(hold, grant, proof.report, report)
      : await this.#unused(hold, grant, proof.report, report);
    if (used) await this.#confirmEarlier(grant, proof.report, report.priorProof);
    return outcome;
  }

  async #used(hold: Hold, grant: Grant, proven: PresentReport, report: Report): Promise<Held | null> {
    await this.#mark(grant, { used: true });
    const found = await this.#find(proven, grant);
    if (!('paidMinor' in found)) {
      const { code, why, reason } = DOUBTS[found.finding];
      await this.#suspect(hold, grant, code, why, report.proof);
      return reason;
    }
    if (found.paidMinor !== report.paidMinor) {
      const why = `the dispenser proves ${found.paidMinor}, the terminal reported ${report.paidMinor}`;
      await this.#suspect(hold, grant, 'dispense-contradicted', why, report.proof);
      return 'proof-contradicts';
    }
    await this.#mark(grant, { proven_minor: found.paidMinor });
    if (found.finding === 'part') {
      await this.#mark(grant, { state: 'unconfirmed' });
      return 'unconfirmed';
    }
    await this.#settle(hold, grant, found.paidMinor);
    return null;
  }

  async #unused(hold: Hold, grant: Grant, proven: PresentReport, report: Report): Promise<Held | null> {
    const last = await this.#lastUsed(proven, grant);
    if (last === 'foreign') {
      const why = "the dispenser's last token is none that this bank knows of";
      await this.#suspect(hold, grant, 'dispense-foreign-token', why, report.proof);
      return 'proof-contradicts';
    }
    if (last > grant.grant_seq) {
      const why = 'the dispenser was asked after a later withdrawal, and knows of this one no more';
      await this.#suspect(hold, grant, 'dispense-evidence-lost', why, report.proof);
      return 'proof-invalid';
    }
    if (report.paidMinor !== 0) {
      const why = `the dispenser proves that the token was not used, the terminal reported ${report.paidMinor}`;
      await this.#suspect(hold, grant, 'dispense-contradicted', why, report.proof);
      return 'proof-contradicts';
    }
    await this.#mark(grant, { state: 'unconfirmed', proven_minor: 0 });
    return 'unconfirmed';
  }

  /** This grant's token was used: all before it are over, and the proof from before its use says how they ended. */
  async #confirmEarlier(later: Grant, proven: PresentReport, priorProof: string | null): Promise<void> {
    const earlier = await grants(this.#tx)
      .where('terminal_id', '=', this.#terminal.terminalId)
      .where('grant_seq', '<', later.grant_seq)
      .where('state', 'in', ['open', 'unconfirmed'])
      .orderBy('grant_seq')
      .execute();
    if (earlier.length === 0) return;
    const prior = await this.#read(priorProof, later);
    const last = prior.is === 'valid' ? await this.#lastUsed(prior.report, later) : 'foreign';
    const tooLate =
      prior.is === 'valid' ? await this.#objectionTo(later, proven) : `the proof before it is ${prior.is}`;
    for (const grant of earlier) {
      const hold = await lockHoldById(this.#tx, grant.hold_id);
      if (prior.is !== 'valid' || tooLate !== null) {
        const why = `the next token was used, and ${tooLate}`;
        await this.#suspect(hold, grant, 'dispense-evidence-lost', why, priorProof);
      } else if (last === 'foreign' || last > grant.grant_seq) {
        const code = last === 'foreign' ? 'dispense-foreign-token' : 'dispense-evidence-lost';
        await this.#suspect(hold, grant, code, 'the dispenser had used another token meanwhile', priorProof);
      } else if (prior.report.dispenseId === grant.dispense_id) {
        await this.#confirmUsed(hold, grant, prior.report, priorProof);
      } else {
        await this.#confirm(hold, grant, 0, priorProof);
      }
    }
  }

  /** Why the later token's use says nothing for certain about what came before; null when it does. */
  async #objectionTo(later: Grant, proven: PresentReport): Promise<string | null> {
    if (!isUnforeseeable(later.command_nonce)) return "the dispenser's nonces can be foreseen";
    // Notes of an earlier token may have waited on the stacker, and gone out with these.
    const { finding } = await this.#find(proven, later);
    return finding === 'impossible' ? 'more than it allows came out under it' : null;
  }

  async #confirmUsed(hold: Hold, grant: Grant, proven: PresentReport, proof: string | null): Promise<void> {
    await this.#mark(grant, { used: true, proof });
    const found = await this.#find(proven, grant);
    if ('paidMinor' in found) {
      await this.#confirm(hold, grant, found.paidMinor, proof);
    } else {
      const { code, why } = DOUBTS[found.finding];
      await this.#suspect(hold, grant, code, why, proof);
    }
  }

  /** Certain now, whatever was reported; a report that said otherwise is for a person to look at. */
  async #confirm(hold: Hold, grant: Grant, paidMinor: number, proof: string | null): Promise<void> {
    if (grant.told_minor !== null && grant.told_minor !== paidMinor) {
      const why = `the dispenser proves ${paidMinor} in the end, the terminal had reported ${grant.told_minor}`;
      await this.#tell('dispense-contradicted', hold, why, proof);
    }
    await this.#mark(grant, { proven_minor: paidMinor });
    await this.#settle(hold, grant, paidMinor);
  }

  async #settle(hold: Hold, grant: Grant, paidMinor: number): Promise<void> {
    await endHold(this.#context, this.#tx, this.#terminal, { hold, movedMinor: paidMinor });
    await this.#mark(grant, { state: 'settled' });
  }

  /** Place in the order of grants of the last token the dispenser used: 0 for none. A dispenser that was seen to use another
   *  than the one it is asked about, and says it never used any, has lost its memory. */
  async #lastUsed({ dispenseId }: PresentReport, asked: Grant): Promise<number | 'foreign'> {
    const known = this.#tx.selectFrom('dispense_grants').where('terminal_id', '=', this.#terminal.terminalId);
    if (dispenseId !== null) {
      const grant = await known.select('grant_seq').where('dispense_id', '=', dispenseId).executeTakeFirst();
      return grant?.grant_seq ?? 'foreign';
    }
    const others = known.where('used', '=', true).where('hold_id', '<>', asked.hold_id);
    const used = await others.select('grant_seq').limit(1).executeTakeFirst();
    return used ? 'foreign' : 0;
  }

  async #read(text: string | null, grant: Grant): Promise<Proof> {
    return readProof(text, grant.response_nonce, (await this.#rules(grant)).deviceKeys);
  }

  async #find(proven: PresentReport, grant: Grant): Promise<Finding> {
    const { proofsCover } = await this.#rules(grant);
    return findingOf(proven, { amountMinor: grant.amount_minor, currency: CURRENCY, proofsCover });
  }

  async #rules({ key_version }: Grant): Promise<ProofRules> {
    return await proofRulesSince(this.#context, this.#tx, this.#terminal.terminalId, key_version);
  }

  async #suspect(hold: Hold, grant: Grant, code: IncidentCode, why: string, proof: string | null): Promise<void> {
    await this.#mark(grant, { state: 'suspect' });
    await this.#tell(code, hold, why, proof);
  }

  async #mark(grant: Grant, change: Partial<GrantChange>): Promise<void> {
    await this.#tx.updateTable('dispense_grants').set(change).where('hold_id', '=', grant.hold_id).execute();
  }

  async #tell(code: IncidentCode, hold: Hold, detail: string, proof: string | null = null): Promise<void> {
    const { terminalId } = this.#terminal;
    const evidence = `withdrawal ${hold.transaction_id}${proof === null ? '' : `, proof ${proof}`}`;
    await recordIncident(this.#context, { code, terminalId, detail, evidence }, this.#tx);
  }
}

interface GrantChange {
  readonly state: GrantState;
  readonly used: boolean;
  readonly told_minor: number;
  readonly proven_minor: number;
  readonly proof: string | null;
}
