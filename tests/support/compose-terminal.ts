/**
 * A whole terminal over ports of a test's own, composed as src-main/terminal.ts does it. Vision is replaced at the session's port,
 * the bank's line and everything of the machine's is given. Tests of whole terminals and the simulation build on it.
 */
import type { Logger } from 'pino';
import type { MatchResult } from '../../src-contract/match-result.ts';
import type { Chance, Clock } from '../../src-main/clock.ts';
import { type Config, PROFILE_SERVICES } from '../../src-main/config/config.ts';
import type { Goods } from '../../src-main/config/goods.ts';
import type { Devices } from '../../src-main/devices/devices.ts';
import { encodeReceipt } from '../../src-main/devices/receipt.ts';
import { plainCalibration } from '../../src-main/gallery/gallery.fixture.ts';
import type { Gallery } from '../../src-main/gallery/gallery.ts';
import { openGalleries } from '../../src-main/gallery/open-galleries.ts';
import { deleteAside } from '../../src-main/gallery/open-or-pull-again.ts';
import type { Activation } from '../../src-main/identity/activation.ts';
import { type Identity, openIdentity } from '../../src-main/identity/identity.ts';
import type { KeyStore } from '../../src-main/identity/key-store.ts';
import { type NextProtection, readNextProtection } from '../../src-main/identity/protection.ts';
import { type Alarm, type Journal, openJournal, type ResultSigner } from '../../src-main/journal/journal.ts';
import type { Room } from '../../src-main/journal/room.ts';
import type { dataPlaces } from '../../src-main/places.ts';
import { type BankWord, openBankWord } from '../../src-main/policy/open.ts';
import { policyOf } from '../../src-main/policy/policy-book.ts';
import type { SessionPorts } from '../../src-main/session/ports.ts';
import { keepAskingBank, type Recovered, recover } from '../../src-main/session/recovery.ts';
import { standingOfAll, standingOn } from '../../src-main/session/standing.ts';
import { type SuspectDesk, suspectDesk } from '../../src-main/session/suspects.ts';
import { createVisits, type Visits } from '../../src-main/session/visits.ts';
import { type BankClient, createBankClient, type FetchPort } from '../../src-main/sync/bank-client.ts';
import { createProtectionKeeper } from '../../src-main/sync/protection-keeper.ts';
import { createSync, type Sync, type SyncOptions } from '../../src-main/sync/sync.ts';
import { type ScriptedCamera, sameScriptedPerson, weighScriptedLiveness } from './scripted-camera.ts';

export const BANK_URL = 'http://127.0.0.1:1';
export const MODEL_SHA256 = 'c'.repeat(64);
export const NEXT_MODEL_SHA256 = 'd'.repeat(64);
const MODELS: MatchResult['models'] = [{ role: 'embedding', sha256: MODEL_SHA256 }];
const forGood = new AbortController().signal;

/** What a terminal stands on. */
export interface TerminalGround {
  readonly places: ReturnType<typeof dataPlaces>;
  readonly keyStore: KeyStore;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly dimensions: number;
  /** Whether it has another embedder by now, beside the one before. */
  readonly nextEmbedder?: boolean;
  readonly log: Logger;
  readonly onAlarm: (alarm: Alarm) => void;
  /** The space on its disk; there is always some where it is not given. */
  readonly room?: Room;
  /** Signs match results; the identity does where this is not given. */
  readonly signer?: (identity: Identity) => ResultSigner;
}

/** The files and keys of a terminal, open; nothing runs yet. */
export interface OpenedTerminal {
  readonly identity: Identity;
  readonly activation: Activation;
  readonly journal: Journal;
  readonly gallery: Gallery;
  readonly word: BankWord;
  readonly next: NextProtection | null;
  close(): void;
}

/** Throws what the parts throw when a file or a key is unusable. The terminal must have been activated. */
export async function openTerminal(ground: TerminalGround): Promise<OpenedTerminal> {
  const { places, keyStore, clock, chance, dimensions, log, onAlarm } = ground;
  const identity = await openIdentity({ keyStore, clock, chance });
  const { activation } = identity;
  if (!activation) throw new Error('this terminal is not activated');
  const signer = ground.signer?.(identity) ?? identity;
  const journal = openJournal({
    path: places.journal,
    clock,
    chance,
    signer,
    onAlarm,
    ...(ground.room ? { room: ground.room } : {}),
  });
  const word = await openBankWord({ memory: journal.memory, activation, keyStore, clock, log, onAlarm });
  const next = await readNextProtection(keyStore, activation);
  const embedder = { modelSha256: MODEL_SHA256, dimensions, calibration: plainCalibration };
  const gallery = openGalleries({
    places,
    embedders: ground.nextEmbedder
      ? { embedder: { ...embedder, modelSha256: NEXT_MODEL_SHA256 }, embedderBefore: embedder }
      : { embedder, embedderBefore: null },
    shared: {
      dataKey: identity.dataKey,
      protectionSeed: new Uint8Array(Buffer.from(activation.protectionSeed, 'base64url')),
      protectionVersion: activation.protectionVersion,
      nextProtection: next,
      chance,
    },
    onAlarm,
  });
  return {
    identity,
    activation,
    journal,
    gallery,
    word,
    next,
    close: () => {
      word.standing.close();
      gallery.close();
      journal.close();
    },
  };
}

/** How a terminal is used: what stands between it and the world, and what is told of it. */
export interface TerminalUse {
  readonly config: Config;
  readonly line: FetchPort;
  readonly devices: Devices;
  readonly camera: ScriptedCamera;
  readonly goods: ReadonlyMap<string, Goods>;
  readonly patience?: Partial<Config['patience']>;
  readonly times?: SyncOptions['times'];
  /** Stands before the journal; for power cuts and full disks. */
  readonly journal?: (journal: Journal) => Journal;
  /** Stands before the gallery; for power cuts. */
  readonly gallery?: (gallery: Gallery) => Gallery;
  /** Stands before the bank's client. */
  readonly bank?: (bank: BankClient) => BankClient;
  readonly onFailure: (error: unknown) => void;
}

/** A terminal that has settled what the last run left, and serves. */
export interface ServingTerminal {
  readonly journal: Journal;
  readonly sync: Sync;
  readonly visits: Visits;
  readonly blocked: ReadonlySet<string>;
  readonly recovered: readonly Recovered[];
  /** The technician's. */
  readonly suspects: SuspectDesk;
  /** Ends visits and sync; files and devices are the caller's. */
  close(): Promise<void>;
}

/** Settles what was left open, then serves. */
export async function serve(
  opened: OpenedTerminal,
  ground: TerminalGround,
  use: TerminalUse,
): Promise<ServingTerminal> {
  const { identity, activation } = opened;
  const { policies, time, standing } = opened.word;
  const { clock, chance, log, onAlarm } = ground;
  const { config, devices, camera, times } = use;
  const journal = use.journal ? use.journal(opened.journal) : opened.journal;
  const gallery = use.gallery ? use.gallery(opened.gallery) : opened.gallery;
  const bareBank = createBankClient({ bankUrl: BANK_URL, identity, fetch: use.line, clock });
  const bank = use.bank ? use.bank(bareBank) : bareBank;
  const protection = createProtectionKeeper({
    activation,
    next: opened.next,
    keyStore: ground.keyStore,
    identity,
    gallery,
    deleteAside: () => deleteAside(ground.places.gallery),
    bank,
    policies,
    journal,
    clock,
    log,
    onAlarm,
  });
  const sync = createSync({
    journal,
    bank,
    gallery,
    protection,
    policies,
    time,
    clock,
    chance,
    log,
    onAlarm,
    failed: use.onFailure,
    ...(times ? { times } : {}),
  });
  const blocked = new Set<string>();
  const makePorts = (language: SessionPorts['language']): SessionPorts => ({
    terminal: {
      id: activation.terminalId,
      name: config.name,
      profile: config.profile,
      services: PROFILE_SERVICES[config.profile],
    },
    clock,
    chance,
    devices,
    bank,
    sync,
    journal,
    gallery,
    models: MODELS,
    policy: () => policyOf(policies),
    standing: standingOfAll([standingOn(journal.storage), standing]),
    time,
    pinKey: activation.pinKey,
    watch: camera.watch,
    weighLiveness: weighScriptedLiveness,
    samePerson: sameScriptedPerson,
    goods: use.goods,
    print: async (receipt, signal) => {
      const printer = devices.receiptPrinter!;
      const facts = { ...receipt, terminalName: config.name, demonstration: false };
      return printer.print(await encodeReceipt(facts, printer.form), signal);
    },
    patience: { ...config.patience, ...use.patience },
    language,
    blocked,
    block: (device) => {
      blocked.add(device);
      log.error({ device }, 'a suspect transaction blocks this device until a technician has looked');
    },
  });

  await bank.health(forGood).catch(() => undefined);
  const whole = makePorts(() => config.language);
  const recovered = await recover(whole, forGood);
  const stopAsking = keepAskingBank(whole, {
    settled: (one) => log.warn(one, 'settled with the bank what the last run left open'),
    failed: use.onFailure,
  });
  const visits = createVisits(makePorts, {
    demonstration: false,
    defaultLanguage: config.language,
    camera: () => (camera.watched ? { kind: 'device', label: null } : null),
    onCamera: () => () => {},
    onCameraReport: (report) => log.info(report, 'camera'),
    onFailure: use.onFailure,
  });
  sync.start();
  protection.start();
  return {
    journal,
    sync,
    visits,
    blocked,
    recovered,
    suspects: suspectDesk({
      ...whole,
      signCount: (count) => identity.signCount(count),
      unblock: (device) => void blocked.delete(device),
    }),
    close: async () => {
      stopAsking();
      visits.stop();
      await sync.close();
      await protection.close();
      opened.word.standing.saveTime();
    },
  };
}
