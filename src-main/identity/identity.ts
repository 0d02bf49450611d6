/**
 * Who this terminal is: an Ed25519 key that signs match results and requests, a P-256 key that opens what the bank sends
 * to this terminal alone, and an AES-256 key for what rests on its disk. Made on first use, kept in the key store, held
 * here as KeyObjects, whose bytes no log, error or inspection prints.
 */
import type { KeyObject } from 'node:crypto';
import type { Ed25519PublicJwk, P256PublicJwk } from '../../src-contract/bank-api.ts';
import type { MatchResult } from '../../src-contract/match-result.ts';
import type { Uuid } from '../../src-contract/primitives.ts';
import type { Chance, Clock } from '../clock.ts';
import type { Activation } from './activation.ts';
import type { KeyStore } from './key-store.ts';

export interface RequestToAssert {
  readonly method: 'GET' | 'POST';
  /** As sent, e.g. "/v1/gallery?after=0". */
  readonly pathAndQuery: string;
  /** The body's bytes; empty for a GET. */
  readonly body: Uint8Array;
}

export interface Identity {
  /** Null before activation. */
  readonly activation: Activation | null;
  /** Null before activation. */
  readonly terminalId: Uuid | null;
  readonly signingPublicKey: Ed25519PublicJwk;
  readonly encryptionPublicKey: P256PublicJwk;
  /** AES-256, for data at rest on this machine (gallery). */
  readonly dataKey: KeyObject;
  /** JWS compact (RFC 7515, 7.1), EdDSA (RFC 8037), typ "kaopass-match+jws", kid = terminalId. NOT_ACTIVATED before. */
  signResult(result: MatchResult): Promise<string>;
  /** The bearer token of one request (RequestAssertion). NOT_ACTIVATED before. */
  assertRequest(request: RequestToAssert): Promise<string>;
  /** Proof of possession of the signing key over an activation code. */
  proveActivationCode(activationCode: string): Promise<string>;
  /** Opens a compact JWE (ECDH-ES, A256GCM) made for encryptionPublicKey. KEY_STORE_INVALID when it was not. */
  openSecret(jwe: string): Promise<Uint8Array>;
}

export interface IdentityOptions {
  readonly keyStore: KeyStore;
  readonly clock: Clock;
  readonly chance: Chance;
}

/** Opens the terminal's identity, making its keys on first use. Throws TerminalError KEY_STORE_INVALID. */
export declare function openIdentity(options: IdentityOptions): Promise<Identity>;
