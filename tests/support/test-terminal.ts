/**
 * A terminal for tests of the bank: holds keys, signs requests and match results, makes PIN blocks. Speaks to a bank through
 * one function, so the same client works on `app.inject()` and over a socket. Knows nothing of src-main.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { CompactEncrypt, CompactSign, compactDecrypt, decodeJwt, exportJWK, generateKeyPair, importJWK } from 'jose';
import { v7 as uuidv7 } from 'uuid';
import {
  type ActivateAnswer,
  Ed25519PublicJwk,
  P256PublicJwk,
  type Problem,
  type ProtectedTemplate,
  REQUEST_ASSERTION_TYP,
  type RequestAssertion,
} from '../../src-contract/bank-api.ts';
import { MATCH_RESULT_TYP, MatchResult } from '../../src-contract/match-result.ts';
import { Policy } from '../../src-contract/policy.ts';
import { money, type Service } from '../../src-contract/primitives.ts';
import type { PayeeAnswer } from '../../src-contract/transfer.ts';

/** Up to this the default policy asks for nothing but a look. */
const LOOK_ALONE_YEN_MAX = 100_000;
const PASSED = { outcome: 'passed', steps: [{ try: 1, demand: 'nod', outcome: 'passed', tookMs: 2_000 }] };

export const id = (): string => uuidv7();
export const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('base64url');

export interface Answer<Body> {
  readonly status: number;
  readonly body: Body & Partial<Problem>;
}

export type Send = (request: {
  method: 'GET' | 'POST' | 'DELETE';
  url: string;
  headers: Record<string, string>;
  body?: string;
}) => Promise<Answer<unknown>>;

export function injectInto(app: FastifyInstance): Send {
  return async ({ method, url, headers, body }) => {
    const response = await app.inject({ method, url, headers, ...(body === undefined ? {} : { payload: body }) });
    return { status: response.statusCode, body: JSON.parse(response.body) as object };
  };
}

/** The admin API, with the bank's token. */
export function adminOf(send: Send, token: string) {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  return {
    get: <Body>(url: string) => send({ method: 'GET', url, headers }) as Promise<Answer<Body>>,
    post: <Body>(url: string, body: object = {}) =>
      send({ method: 'POST', url, headers, body: JSON.stringify(body) }) as Promise<Answer<Body>>,
    delete: <Body>(url: string) =>
      send({ method: 'DELETE', url, headers: { authorization: headers.authorization } }) as Promise<Answer<Body>>,
  };
}
export type Admin = ReturnType<typeof adminOf>;

interface Keys {
  readonly signing: { readonly privateKey: CryptoKey; readonly publicJwk: Ed25519PublicJwk };
  readonly encryption: { readonly privateKey: CryptoKey; readonly publicJwk: P256PublicJwk };
}

export async function makeKeys(): Promise<Keys> {
  const signing = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  const encryption = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true });
  const { kty, crv, x } = await exportJWK(signing.publicKey);
  const point = await exportJWK(encryption.publicKey);
  return {
    signing: { privateKey: signing.privateKey, publicJwk: Ed25519PublicJwk.parse({ kty, crv, x }) },
    encryption: {
      privateKey: encryption.privateKey,
      publicJwk: P256PublicJwk.parse({ kty: point.kty, crv: point.crv, x: point.x, y: point.y }),
    },
  };
}

export async function activationRequest(keys: Keys, activationCode: string) {
  return {
    activationCode,
    name: 'Test terminal',
    profile: 'atm',
    signingKey: keys.signing.publicJwk,
    encryptionKey: keys.encryption.publicJwk,
    proof: await new CompactSign(new TextEncoder().encode(activationCode))
      .setProtectedHeader({ alg: 'EdDSA' })
      .sign(keys.signing.privateKey),
  };
}

/** A unit vector of 512 float32. */
function randomTemplate(protectionVersion: string): ProtectedTemplate {
  const values = new Float32Array(512).map(() => randomBytes(4).readInt32LE(0) / 2 ** 31);
  const length = Math.hypot(...values);
  const bytes = Buffer.alloc(512 * 4);
  values.forEach((value, index) => {
    bytes.writeFloatLE(value / length, index * 4);
  });
  return {
    values: bytes.toString('base64url'),
    dimensions: 512,
    modelSha256: 'ab'.repeat(32),
    protectionVersion,
  };
}

export interface PinBlockOptions {
  readonly boundTo: string;
  readonly nonce?: string;
  readonly kid?: string;
  readonly typ?: string;
  readonly pinField?: string;
}

/** A test terminal, activated. Its answers to what the bank says are the raw status and body. */
export class TestTerminal {
  readonly keys: Keys;
  readonly activation: ActivateAnswer;
  readonly #send: Send;
  readonly #now: () => number;
  #sequence = 0;
  #previousHash: string | null = null;

  constructor(send: Send, keys: Keys, activation: ActivateAnswer, now: () => number) {
    this.#send = send;
    this.keys = keys;
    this.activation = activation;
    this.#now = now;
  }

  /** Makes keys, asks for a code and activates. */
  static async activate(
    send: Send,
    admin: Admin,
    { now = Date.now }: { now?: () => number } = {},
  ): Promise<TestTerminal> {
    const keys = await makeKeys();
    const { body: code } = await admin.post<{ code: string }>('/admin/activation-codes');
    const answer = await send({
      method: 'POST',
      url: '/v1/terminals',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(await activationRequest(keys, code.code)),
    });
    if (answer.status !== 200) throw new Error(`activation was refused: ${JSON.stringify(answer.body)}`);
    return new TestTerminal(send, keys, answer.body as ActivateAnswer, now);
  }

  /** As of activation. */
  get policy(): Policy {
    return Policy.parse(decodeJwt(this.activation.policy));
  }

  get terminalId(): string {
    return this.activation.terminalId;
  }

  /** The same terminal, speaking to another process of the same bank. */
  through(send: Send): TestTerminal {
    return new TestTerminal(send, this.keys, this.activation, this.#now);
  }

  async assertion(method: 'GET' | 'POST', url: string, body: string, change: Partial<RequestAssertion> = {}) {
    const claims = {
      iss: this.terminalId,
      aud: 'kaopass-bank',
      jti: id(),
      iat: Math.floor(this.#now() / 1000),
      htm: method,
      htu: url,
      bodySha256: sha256(body),
      ...change,
    };
    return await this.sign(JSON.stringify(claims), REQUEST_ASSERTION_TYP, this.terminalId);
  }

  async sign(payload: string, typ: string, kid?: string): Promise<string> {
    return await new CompactSign(new TextEncoder().encode(payload))
      .setProtectedHeader({ alg: 'EdDSA', typ, ...(kid === undefined ? {} : { kid }) })
      .sign(this.keys.signing.privateKey);
  }

  async get<Body>(url: string): Promise<Answer<Body>> {
    const jws = await this.assertion('GET', url, '');
    const headers = { authorization: `Bearer ${jws}` };
    return (await this.#send({ method: 'GET', url, headers })) as Answer<Body>;
  }

  async post<Body>(url: string, content: object, change: Partial<RequestAssertion> = {}): Promise<Answer<Body>> {
    const body = JSON.stringify(content);
    const authorization = `Bearer ${await this.assertion('POST', url, body, change)}`;
    const headers = { authorization, 'content-type': 'application/json' };
    return (await this.#send({ method: 'POST', url, headers, body })) as Answer<Body>;
  }

  /** The next link of this terminal's chain, without delivering it. */
  async nextResult(
    change: Partial<Record<keyof MatchResult, unknown>> = {},
  ): Promise<{ resultId: string; jws: string }> {
    const result = this.describeResult(change);
    const jws = await this.sign(JSON.stringify(result), MATCH_RESULT_TYP, this.terminalId);
    this.#sequence = result.sequence;
    this.#previousHash = sha256(jws);
    return { resultId: result.resultId, jws };
  }

  /** What the next link would say. */
  describeResult(change: Partial<Record<keyof MatchResult, unknown>> = {}): MatchResult {
    return MatchResult.parse({
      version: 1,
      resultId: id(),
      terminalId: this.terminalId,
      sequence: this.#sequence + 1,
      previousHash: this.#previousHash,
      at: this.#now(),
      service: 'withdraw',
      transactionId: null,
      amount: null,
      outcome: 'accepted',
      reason: null,
      personId: null,
      comparison: { score: 0.71, runnerUpScore: 0.12, gallerySize: 3, estimatedFmr: 1e-6 },
      liveness: { frames: 12, passive: 0.98, cues: [], decision: 'live' },
      secondFactor: 'none',
      mode: 'online',
      models: [{ role: 'embedding', sha256: 'cd'.repeat(32) }],
      policyVersion: this.policy.version,
      ...change,
    });
  }

  /** An accepted result, delivered. Answers its id. */
  async recognise(
    service: Service,
    personId: string,
    of: { transactionId: string | null; yen: number | null; mode?: 'online' | 'stand-in'; face?: string | null },
  ): Promise<string> {
    const { resultId, jws } = await this.nextResult({
      service,
      personId,
      transactionId: of.transactionId,
      amount: of.yen === null ? null : money(of.yen),
      mode: of.mode ?? 'online',
      presentedFace: of.face ?? null,
      challenge: of.yen !== null && of.yen > LOOK_ALONE_YEN_MAX ? PASSED : null,
    });
    const answer = await this.post('/v1/results', { results: [jws] });
    if (answer.status !== 200) throw new Error(`the result was refused: ${JSON.stringify(answer.body)}`);
    return resultId;
  }

  async pinBlock(digits: string, options: PinBlockOptions): Promise<string> {
    const { kid, ...jwk } = this.activation.pinKey;
    const pinField = options.pinField ?? `4${digits.length.toString(16).toUpperCase()}${digits}`.padEnd(16, 'A');
    const plain = { pinField, boundTo: options.boundTo, nonce: options.nonce ?? id() };
    return await new CompactEncrypt(new TextEncoder().encode(JSON.stringify(plain)))
      .setProtectedHeader({
        alg: 'ECDH-ES',
        enc: 'A256GCM',
        typ: options.typ ?? 'kaopass-pin+jwe',
        kid: options.kid ?? kid,
      })
      .encrypt(await importJWK(jwk, 'ECDH-ES'));
  }

  async openSeed(): Promise<Uint8Array> {
    return (await compactDecrypt(this.activation.protectionSeed, this.keys.encryption.privateKey)).plaintext;
  }

  /** A whole enrolment request; `change` replaces members. */
  async enrolRequest(
    pin: string,
    change: { personId?: string; [member: string]: unknown } = {},
    presentedFace: string | null = null,
  ) {
    const personId = change.personId ?? id();
    const { jws } = await this.nextResult({ service: 'enrol', outcome: 'enrolled', personId, presentedFace });
    const { policy } = this;
    const { protectionVersion } = this.activation;
    return {
      idempotencyKey: id(),
      personId,
      consent: { version: policy.consent.version, language: 'ja', agreedAt: this.#now() },
      template: randomTemplate(protectionVersion),
      lookAlikeOf: null as string | null,
      pinBlocks: [await this.pinBlock(pin, { boundTo: personId }), await this.pinBlock(pin, { boundTo: personId })],
      result: jws,
      ...change,
    };
  }

  /** Enrols somebody, optionally with money and a template that is not just any. Answers the personId. */
  async enrol(
    pin: string,
    { yen = 0, face = null, template }: { yen?: number; face?: string | null; template?: ProtectedTemplate } = {},
  ): Promise<string> {
    const request = await this.enrolRequest(pin, template ? { template } : {}, face);
    const answer = await this.post<{ outcome: string }>('/v1/enrolments', request);
    if (answer.body.outcome !== 'enrolled') throw new Error(`not enrolled: ${JSON.stringify(answer.body)}`);
    if (yen > 0) {
      const posted = await this.post('/v1/deposits', await this.depositRequest(request.personId, yen));
      if (posted.status !== 200) throw new Error(`not deposited: ${JSON.stringify(posted.body)}`);
    }
    return request.personId;
  }

  async depositRequest(personId: string, yen: number) {
    const transactionId = id();
    const resultId = await this.recognise('deposit', personId, { transactionId, yen });
    return { idempotencyKey: id(), transactionId, personId, amount: money(yen), resultId };
  }

  async authoriseRequest(
    service: 'withdraw' | 'purchase' | 'balance',
    personId: string,
    { yen, pin, face = null }: { yen: number | null; pin: string | null; face?: string | null },
  ) {
    const transactionId = id();
    const resultId = await this.recognise(service, personId, {
      transactionId: service === 'balance' ? null : transactionId,
      yen,
      face,
    });
    return {
      idempotencyKey: id(),
      transactionId,
      service,
      personId,
      amount: yen === null ? null : money(yen),
      resultId,
      pinBlock: pin === null ? null : await this.pinBlock(pin, { boundTo: transactionId }),
    };
  }

  /** The question whom an account number belongs to, for a transaction of its own unless one is given. */
  async payeeRequest(
    personId: string,
    payeeAccountNumber: string,
    { yen, pin, transactionId = id() }: { yen: number; pin: string | null; transactionId?: string },
  ) {
    const resultId = await this.recognise('transfer', personId, { transactionId, yen });
    return {
      idempotencyKey: id(),
      transactionId,
      personId,
      payeeAccountNumber,
      amount: money(yen),
      resultId,
      pinBlock: pin === null ? null : await this.pinBlock(pin, { boundTo: transactionId }),
    };
  }

  /** A transfer to a payee that was asked about, and found. */
  async transferRequest(personId: string, payeeAccountNumber: string, of: { yen: number; pin: string }) {
    const question = await this.payeeRequest(personId, payeeAccountNumber, of);
    const answer = await this.post<PayeeAnswer>('/v1/payees', question);
    if (answer.body.outcome !== 'found') throw new Error(`no payee: ${JSON.stringify(answer.body)}`);
    const { pinBlock: _, ...rest } = question;
    return { ...rest, idempotencyKey: id() };
  }

  /** A withdrawal of consent at this terminal. */
  async erasureRequest(personId: string) {
    const transactionId = id();
    const resultId = await this.recognise('opt-out', personId, { transactionId, yen: null });
    return { idempotencyKey: id(), transactionId, personId, at: this.#now(), resultId };
  }

  /** A signed receipt, ready to be sent; `change` replaces members of it. */
  async receiptRequest(personId: string, change: object = {}, typ = 'kaopass-erasure+jws') {
    const receipt = {
      version: 1,
      receiptId: id(),
      terminalId: this.terminalId,
      personId,
      cursor: 1,
      at: this.#now(),
      templateGone: true,
      pendingAuthorityGone: true,
      ...change,
    };
    return {
      idempotencyKey: receipt.receiptId,
      receipt: await this.sign(JSON.stringify(receipt), typ, this.terminalId),
    };
  }

  async standInRequest(personId: string, yen: number) {
    const transactionId = id();
    const resultId = await this.recognise('purchase', personId, { transactionId, yen, mode: 'stand-in' });
    return { idempotencyKey: id(), transactionId, personId, amount: money(yen), at: this.#now(), resultId };
  }
}
