/**
 * A new terminal introduces itself to the bank with a one-time code and comes back with its name, policy and secrets.
 * It is activated by one write, the last: until then everything can be tried again, and after it nothing.
 */
import { mkdirSync } from 'node:fs';
import { ActivateRequest } from '../../src-contract/bank-api.ts';
import type { Profile } from '../../src-contract/primitives.ts';
import type { Chance, Clock } from '../clock.ts';
import { TerminalError } from '../errors.ts';
import { type Activation, readActivation, writeActivation } from '../identity/activation.ts';
import { openFileKeyStore } from '../identity/file-key-store.ts';
import { type Identity, openIdentity, renewSigningKey } from '../identity/identity.ts';
import type { KeyStore } from '../identity/key-store.ts';
import { dataPlaces } from '../places.ts';
import { verifyPolicy } from '../policy/verify.ts';
import { lockData } from '../running-lock.ts';
import { BankRefusal, createBankClient, type FetchPort } from '../sync/bank-client.ts';

export interface ActivateOptions {
  /** https, or http to this machine. */
  readonly bankUrl: string;
  /** Like ABCD-EFGH-2345; lower case and surrounding space are forgiven. */
  readonly activationCode: string;
  readonly name: string;
  readonly profile: Profile;
  /** The terminal's data directory; keys go to its keys/ folder. */
  readonly dataDir: string;
  readonly fetch: FetchPort;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly signal: AbortSignal;
}

const SEED_BYTES = 32;

/** Activates the terminal. Throws ALREADY_ACTIVATED, ALREADY_RUNNING, BANK_UNREACHABLE, BANK_REFUSED (unknown, used or
 *  expired code), BANK_ANSWER_INVALID or CONFIG_INVALID (naming the option); then the call can be repeated. */
export async function activate(options: ActivateOptions): Promise<Activation> {
  const places = dataPlaces(options.dataDir);
  checkBankUrl(options.bankUrl);
  mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });
  const unlock = lockData(places.lock);
  try {
    const keyStore = await openFileKeyStore(places.keys);
    const earlier = await readActivation(keyStore);
    if (earlier) throw alreadyActivated(earlier);
    return await introduce(options, keyStore);
  } finally {
    unlock();
  }
}

/** Activates over a key store of the caller's, with no data directory and no lock; otherwise as {@link activate}. */
export async function introduce(options: Omit<ActivateOptions, 'dataDir'>, keyStore: KeyStore): Promise<Activation> {
  const { clock, chance } = options;
  const identity = await openIdentity({ keyStore, clock, chance });
  try {
    return await ask(options, keyStore, identity);
  } catch (error) {
    if (!(error instanceof BankRefusal)) throw error;
    if (error.problem.code !== 'conflict' || error.problem.field !== 'signingKey') throw inPlainWords(error);
    // The bank once registered this key and its answer never arrived. Nothing was ever signed with it as a terminal, so
    // it is replaced, and the new code names a new terminal.
    await renewSigningKey(keyStore);
    return await ask(options, keyStore, await openIdentity({ keyStore, clock, chance }));
  }
}

async function ask(
  options: Omit<ActivateOptions, 'dataDir'>,
  keyStore: KeyStore,
  identity: Identity,
): Promise<Activation> {
  const { bankUrl, name, profile, fetch, clock, signal } = options;
  const activationCode = options.activationCode.trim().toUpperCase();
  const request = ActivateRequest.safeParse({
    activationCode,
    name,
    profile,
    signingKey: identity.signingPublicKey,
    encryptionKey: identity.encryptionPublicKey,
    proof: await identity.proveActivationCode(activationCode),
  });
  if (!request.success) {
    const issue = request.error.issues[0];
    throw new TerminalError(
      'CONFIG_INVALID',
      `${issue?.path.join('.') ?? 'option'}: ${issue?.message ?? 'does not fit'}`,
    );
  }
  const answer = await createBankClient({ bankUrl, identity, fetch, clock }).activate(request.data, signal);
  const seed = await openSeed(identity, answer.protectionSeed);
  const verified = await verifyPolicy(answer.policy, answer.policyKey);
  if (!verified.verified) {
    throw new TerminalError(
      'BANK_ANSWER_INVALID',
      `the bank's answer to POST /v1/terminals does not fit: field "policy": ${verified.why}`,
    );
  }
  const activation: Activation = {
    version: 2,
    terminalId: answer.terminalId,
    bankUrl,
    name,
    profile,
    activatedAt: clock.now(),
    policy: answer.policy,
    policyKey: answer.policyKey,
    pinKey: answer.pinKey,
    protectionSeed: Buffer.from(seed).toString('base64url'),
    protectionVersion: answer.protectionVersion,
    protectionGeneration: answer.protectionGeneration,
  };
  if (!(await writeActivation(keyStore, activation))) throw alreadyActivated(activation);
  return activation;
}

async function openSeed(identity: Identity, jwe: string): Promise<Uint8Array> {
  const seed = await identity.openSecret(jwe).catch(() => null);
  if (seed?.length === SEED_BYTES) return seed;
  throw new TerminalError(
    'BANK_ANSWER_INVALID',
    `the bank's answer to POST /v1/terminals does not fit: field "protectionSeed": not ${SEED_BYTES} bytes for this terminal`,
  );
}

/** The seed of all templates comes over this line: it is encrypted, or it does not leave the machine. */
function checkBankUrl(bankUrl: string): void {
  const url = URL.parse(bankUrl);
  if (url?.protocol === 'https:') return;
  if (url?.protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname)) return;
  throw new TerminalError('CONFIG_INVALID', `bankUrl: "${bankUrl}" is neither https nor http to this machine`);
}

function alreadyActivated({ terminalId, name }: Activation): TerminalError {
  return new TerminalError('ALREADY_ACTIVATED', `this terminal is activated already, as ${terminalId} ("${name}")`);
}

function inPlainWords(refusal: BankRefusal): TerminalError {
  const say = (sentence: string) => new TerminalError('BANK_REFUSED', sentence, { cause: refusal });
  switch (refusal.problem.code) {
    case 'activation-code-unknown':
      return say('the bank does not know this activation code: compare it with the one you were given');
    case 'activation-code-used':
      return say('this activation code was used before, and each is good for one terminal: ask the bank for a new one');
    case 'activation-code-expired':
      return say('this activation code has expired: ask the bank for a new one');
    default:
      return refusal;
  }
}
