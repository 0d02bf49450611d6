/** The reference bank as a process, and its own staff's view of it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DeviceKeys } from './devices.ts';
import { type Program, startProgram } from './processes.ts';

/**
 * The bank's embedded database is WebAssembly. Its code is not compiled a second time, to run faster: that is two fifths of what a start
 * costs, and was no gain over ten thousand PIN checks.
 */
export const BANK_NODE_FLAGS: readonly string[] = ['--liftoff-only'];

export interface BankAccount {
  readonly accountId: string;
  readonly kind: 'customer' | 'cash' | 'merchant' | 'suspense';
  readonly ownerId: string | null;
  readonly accountEnding: string | null;
  readonly ledgerMinor: number;
  readonly heldMinor: number;
  readonly availableMinor: number;
}

export interface BankResult {
  readonly sequence: number;
  readonly resultId: string;
  readonly service: string;
  readonly outcome: string;
  readonly reason: string | null;
  readonly mode: string;
  readonly estimatedFmr: number | null;
  readonly liveness: {
    readonly frames: number;
    readonly decision: string;
    readonly cues: readonly string[];
    readonly passive: number | null;
  };
}

export interface BankEntry {
  readonly kind: string;
  readonly transactionId: string;
  readonly postings: readonly { readonly accountKind: string; readonly creditMinor: number }[];
}

export class DemoBank {
  readonly #dir: string;
  readonly #log: string;
  #program: Program | null = null;
  #url = '';

  constructor(dir: string, log: string) {
    this.#dir = dir;
    this.#log = log;
  }

  get url(): string {
    return this.#url;
  }

  /** Starts it, the second time on the port of the first. */
  async start(firstPort = '0'): Promise<void> {
    const port = this.#url ? new URL(this.#url).port : firstPort;
    this.#program = await startProgram(
      'src-bank/main.ts',
      ['--port', port, '--data', this.#dir, '--log-level', 'info'],
      this.#log,
      BANK_NODE_FLAGS,
    );
    this.#url = String(this.#program.ready['url']);
  }

  async stop(): Promise<void> {
    await this.#program?.stop();
    this.#program = null;
  }

  /** Ends where it stands. */
  async kill(): Promise<void> {
    await this.#program?.kill();
    this.#program = null;
  }

  async activationCode(profile: string): Promise<string> {
    return (await this.#ask<{ code: string }>('POST', '/admin/activation-codes', { profile })).code;
  }

  /** Of the one terminal of this profile. */
  async terminalId(profile: string): Promise<string> {
    const { terminals } = await this.#ask<{ terminals: { terminalId: string; profile: string }[] }>(
      'GET',
      '/admin/terminals',
    );
    const found = terminals.find((terminal) => terminal.profile === profile);
    if (!found) throw new Error(`the bank knows no ${profile}`);
    return found.terminalId;
  }

  /** What follows a key ceremony: from then on cash comes out under a token of this bank only, and PIN blocks are the pad's. */
  async setDeviceKeys(terminalId: string, keys: DeviceKeys, profile: string): Promise<void> {
    const { pinKey, ...dispenser } = keys;
    if (profile === 'atm') {
      // These machines' proofs add up all that was paid under a token.
      const terms = { ...dispenser, proofsCover: 'whole-token' };
      await this.#ask('POST', `/admin/terminals/${terminalId}/dispenser-keys`, terms);
    }
    await this.#ask('POST', `/admin/terminals/${terminalId}/pin-keys`, pinKey);
  }

  async customers(): Promise<BankAccount[]> {
    return (await this.accounts()).filter((account) => account.kind === 'customer');
  }

  /** Of the one person of the demonstration whose face is, or was, registered. */
  async customer(): Promise<BankAccount> {
    const people = new Set((await this.people()).map(({ personId }) => personId));
    const [account, ...others] = (await this.customers()).filter(({ ownerId }) => people.has(ownerId ?? ''));
    if (!account || others.length > 0)
      throw new Error(`the bank has ${account ? others.length + 1 : 0} customers, not one`);
    return account;
  }

  /** At the counter, for somebody whose face is not registered. */
  async openAccount(holderName: string): Promise<{ accountId: string; accountNumber: string }> {
    return this.#ask('POST', '/admin/accounts', { holderName });
  }

  async accounts(): Promise<BankAccount[]> {
    return (await this.#ask<{ accounts: BankAccount[] }>('GET', '/admin/accounts')).accounts;
  }

  async balanced(): Promise<boolean> {
    return (await this.#ask<{ balanced: boolean }>('GET', '/admin/trial-balance')).balanced;
  }

  async entries(): Promise<BankEntry[]> {
    return (await this.#ask<{ entries: BankEntry[] }>('GET', '/admin/entries')).entries;
  }

  async holds(): Promise<{ transactionId: string; amountMinor: number; state: string }[]> {
    return (
      await this.#ask<{ holds: { transactionId: string; amountMinor: number; state: string }[] }>('GET', '/admin/holds')
    ).holds;
  }

  /** Withdrawals that were granted a token. */
  async dispenses(): Promise<{ transactionId: string; state: string; toldMinor: number | null }[]> {
    return (
      await this.#ask<{ dispenses: { transactionId: string; state: string; toldMinor: number | null }[] }>(
        'GET',
        '/admin/dispenses',
      )
    ).dispenses;
  }

  async results(terminalId: string): Promise<BankResult[]> {
    return (await this.#ask<{ results: BankResult[] }>('GET', `/admin/results?terminalId=${terminalId}`)).results;
  }

  async chain(terminalId: string): Promise<{ results: number; verified: boolean; problem: string | null }> {
    return this.#ask('GET', `/admin/chains/${terminalId}`);
  }

  async incidents(): Promise<{ code: string; detail: string }[]> {
    return (await this.#ask<{ incidents: { code: string; detail: string }[] }>('GET', '/admin/incidents')).incidents;
  }

  /** How far a withdrawal of consent has come. */
  async erasure(
    personId: string,
  ): Promise<{ status: string; terminals: { terminalId: string; receipt: { cursor: number | null } | null }[] }> {
    return this.#ask('GET', `/admin/people/${personId}/erasure`);
  }

  async people(): Promise<{ personId: string; hasTemplate: boolean; consents: { version: string }[] }[]> {
    return (
      await this.#ask<{ people: { personId: string; hasTemplate: boolean; consents: { version: string }[] }[] }>(
        'GET',
        '/admin/people',
      )
    ).people;
  }

  async #ask<Answer>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Answer> {
    const token = readFileSync(join(this.#dir, 'admin-token'), 'utf8').trim();
    const response = await fetch(this.#url + path, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
      signal: AbortSignal.timeout(10_000),
    });
    if (!response.ok)
      throw new Error(`the bank answered ${response.status} to ${method} ${path}: ${await response.text()}`);
    return (await response.json()) as Answer;
  }
}
