/**
 * The composition root: configuration in, a running terminal out. The one place that knows every part and names a concrete
 * driver. Order matters: what can refuse to start does so before a device moves, and what a power cut left open is settled
 * before anybody is served.
 */
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Logger } from 'pino';
import { attachedCameras } from './camera/attached.ts';
import { guardCamera, pinFile } from './camera/guard.ts';
import type { Chance, Clock } from './clock.ts';
import { type Config, PROFILE_SERVICES } from './config/config.ts';
import { loadGoods } from './config/goods.ts';
import { SCENES } from './config/scenes.ts';
import { createDayCloser } from './day-close/day-close.ts';
import { openDevices } from './devices/open.ts';
import { encodeReceipt } from './devices/receipt.ts';
import { startControlServer } from './devices/simulated/control-server.ts';
import { DemonstrationCamera } from './devices/simulated/demonstration-camera.ts';
import { singleFmr } from './gallery/fmr.ts';
import { openGalleries } from './gallery/open-galleries.ts';
import { deleteAside } from './gallery/open-or-pull-again.ts';
import type { TerminalEnd } from './host/host.ts';
import { openFileKeyStore } from './identity/file-key-store.ts';
import { openIdentity } from './identity/identity.ts';
import { readNextProtection } from './identity/protection.ts';
import { openJournal } from './journal/journal.ts';
import { reserveFile } from './journal/room.ts';
import { checkInBackground } from './journal/whole-check.ts';
import { dataPlaces, type Installation } from './places.ts';
import { openBankWord } from './policy/open.ts';
import { policyOf } from './policy/policy-book.ts';
import { CameraHealth } from './provisioning/camera-health.ts';
import { openServicePage } from './provisioning/service-page/open.ts';
import { lockData } from './running-lock.ts';
import { DEVICE_BACK_MS_MAX } from './session/ask.ts';
import { devicesBack } from './session/devices-back.ts';
import { outOfService } from './session/out-of-service.ts';
import type { SessionPorts } from './session/ports.ts';
import { keepAskingBank, recover } from './session/recovery.ts';
import { standingOfAll, standingOn } from './session/standing.ts';
import { suspectDesk } from './session/suspects.ts';
import { createVisits } from './session/visits.ts';
import { createBankClient } from './sync/bank-client.ts';
import { createProtectionKeeper } from './sync/protection-keeper.ts';
import { createSync } from './sync/sync.ts';
import { createFeed } from './vision/feed.ts';
import type { Vision } from './vision/observation.ts';
import { weighLiveness } from './vision/presentation-attack.ts';
import { startVision } from './vision/vision.ts';

export interface TerminalOptions {
  readonly config: Config;
  readonly dataDir: string;
  readonly installation: Installation;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Logger;
}

export interface Terminal {
  /** What a host connects its screen to. */
  readonly end: TerminalEnd;
  readonly activated: boolean;
  /** The control panel of simulated devices and of what stands before a demonstration's camera; null where neither is. Carries
   *  its token: whoever has it has the simulated devices. */
  readonly controlUrl: string | null;
  /** The technician's page, opened once by this address; `kaopass status` prints another. Null before activation. */
  readonly serviceUrl: string | null;
  close(): Promise<void>;
}

/** Two embeddings further apart than this chance, one in a thousand strangers, are not taken for one person's. */
const SAME_PERSON_FMR_MAX = 1e-3;
/** Devices that answer nothing at all must not keep a terminal from saying that it is out of service; ms. */
const RECOVERY_MS_MAX = 120_000;

/** Throws a TerminalError that names what keeps the terminal from starting; then nothing is left running. */
export async function startTerminal(options: TerminalOptions): Promise<Terminal> {
  const closers: (() => unknown)[] = [];
  const close = async () => {
    for (const one of closers.splice(0).reverse()) await one();
  };
  try {
    return await compose(options, closers, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function compose(
  { config, dataDir, installation, clock, chance, log }: TerminalOptions,
  closers: (() => unknown)[],
  close: () => Promise<void>,
): Promise<Terminal> {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const places = dataPlaces(dataDir);
  closers.push(lockData(places.lock));
  const onAlarm = (alarm: { kind: string; message: string }) => log.error({ alarm: alarm.kind }, alarm.message);

  const keyStore = await openFileKeyStore(places.keys);
  const identity = await openIdentity({ keyStore, clock, chance });
  const { activation } = identity;
  if (!activation) {
    log.warn('this terminal is not activated: run "kaopass activate"');
    const shown = outOfService(
      { name: config.name, profile: config.profile, demonstration: config.demonstration, online: false },
      config.language,
      'not-activated',
      clock,
    );
    return {
      end: { ...shown, onFrameWanted: () => () => {}, handleFrame: () => {} },
      activated: false,
      controlUrl: null,
      serviceUrl: null,
      close,
    };
  }

  const goods = loadGoods(config.goods === null ? installation.goodsFile : resolve(dataDir, config.goods));
  const vision = await startVision({ ...installation, threads: config.vision.threads, clock });
  closers.push(() => vision.close());
  const { calibration } = vision.embedder;

  const room = reserveFile(places.journal, chance);
  const journal = openJournal({ path: places.journal, clock, chance, signer: identity, onAlarm, room });
  closers.push(() => journal.close());
  const { storage } = journal;
  if (storage.trouble) onAlarm({ kind: 'journal', message: storage.trouble.message });
  storage.onChange((trouble) => {
    if (trouble) onAlarm({ kind: 'journal', message: trouble.message });
    else log.info('the disk is well again');
  });
  if (!journal.readWhole) closers.push(checkInBackground(places.journal, storage.foundDamage));
  const {
    policies,
    time,
    standing: bankStanding,
  } = await openBankWord({
    memory: journal.memory,
    activation,
    keyStore,
    clock,
    log,
    onAlarm,
  });
  closers.push(() => {
    bankStanding.close();
    bankStanding.saveTime();
  });
  const cameraGuard = guardCamera({
    store: pinFile(places.camera),
    demonstration: config.demonstration,
    attached: attachedCameras,
    log,
  });
  const standing = standingOfAll([standingOn(storage), bankStanding, cameraGuard]);
  const next = await readNextProtection(keyStore, activation);
  const gallery = openGalleries({
    places,
    embedders: vision,
    shared: {
      dataKey: identity.dataKey,
      protectionSeed: new Uint8Array(Buffer.from(activation.protectionSeed, 'base64url')),
      protectionVersion: activation.protectionVersion,
      nextProtection: next,
      chance,
    },
    onAlarm,
  });
  closers.push(() => gallery.close());

  const bank = createBankClient({ bankUrl: config.bankUrl, identity, fetch, clock });
  const protection = createProtectionKeeper({
    activation,
    next,
    keyStore,
    identity,
    gallery,
    deleteAside: () => {
      for (const path of [places.gallery, places.galleryBefore]) deleteAside(path);
    },
    bank,
    policies,
    journal,
    clock,
    log,
    onAlarm,
  });
  closers.push(() => protection.close());
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
    failed: (error) => log.error({ err: error }, 'a round with the bank broke down'),
    times: config.sync,
  });
  closers.push(() => sync.close());

  const opened = await openDevices({
    config: config.devices,
    profile: config.profile,
    dataDir,
    dir: places.devices,
    receiptsDir: places.receipts,
    clock,
    chance,
    log,
    onAlarm,
  });
  closers.push(() => opened.close());
  const { devices } = opened;
  const camera = new DemonstrationCamera(config.camera);
  const token = () => Buffer.from(chance.bytes(24)).toString('base64url');
  const controlServer =
    opened.control || config.demonstration
      ? await startControlServer({
          control: opened.control,
          camera,
          profile: config.profile,
          port: config.devices.controlPort,
          token: token(),
          clock,
          chance,
          goods: [...goods.values()].map(({ barcode, names, price }) => ({
            barcode,
            names,
            priceMinor: price.amountMinor,
          })),
          terminalName: config.name,
          scenes: config.demonstration && installation.footageDir ? Object.values(SCENES) : [],
        })
      : null;
  closers.push(() => controlServer?.close());

  /** Nobody under the embedder before: then it is not run. */
  const eyes: Pick<Vision, 'observe'> = {
    observe: (frame, signal, wants) => vision.observe(frame, signal, { ...wants, before: gallery.needsBefore }),
  };
  const feed = createFeed({ vision: eyes, clock, onProblem: (error) => log.warn({ code: error.code }, error.message) });
  closers.push(() => feed.close());

  const blocked = new Set<string>();
  const services = config.services ?? PROFILE_SERVICES[config.profile];
  const ports = (language: SessionPorts['language']): SessionPorts => ({
    terminal: {
      id: activation.terminalId,
      name: config.name,
      profile: config.profile,
      services,
    },
    clock,
    chance,
    devices,
    bank,
    sync,
    journal,
    gallery,
    models: vision.models,
    policy: () => policyOf(policies),
    standing,
    time,
    pinKey: activation.pinKey,
    watch: feed.watch,
    weighLiveness: (frames) => weighLiveness(frames, vision.liveness),
    samePerson: (a, b) => singleFmr(calibration, cosine(a, b)) <= SAME_PERSON_FMR_MAX,
    goods,
    print: async (receipt, signal) => {
      const printer = devices.receiptPrinter;
      if (!printer) return { outcome: 'failed', error: 'noDevice', message: 'this terminal has no receipt printer' };
      const facts = { ...receipt, terminalName: config.name, demonstration: config.demonstration };
      const bytes = await encodeReceipt(facts, printer.form);
      return printer.print(bytes, signal);
    },
    patience: config.patience,
    language,
    blocked,
    block: (device) => {
      blocked.add(device);
      log.error({ device }, 'a suspect transaction blocks this device until a technician has looked');
    },
  });

  for (const device of await devicesBack(journal.openTransactions(), devices, clock, DEVICE_BACK_MS_MAX)) {
    log.error({ device }, 'what the last run left open has to be settled without this device');
  }
  const whole = ports(() => config.language);
  for (const one of await recover(whole, AbortSignal.timeout(RECOVERY_MS_MAX))) {
    log.warn(one, 'settled what the last run left open');
  }
  closers.push(
    keepAskingBank(whole, {
      settled: (one) => log.warn(one, 'settled with the bank what the last run left open'),
      failed: (error) => log.error({ err: error }, 'what the last run left open waits for the bank'),
    }),
  );

  const cameraHealth = new CameraHealth();
  const visits = createVisits(ports, {
    demonstration: config.demonstration,
    defaultLanguage: config.language,
    camera: () => (feed.watched ? camera.source() : null),
    onCamera: (listener) => {
      const stops = [feed.onWatched(listener), camera.onChange(listener)];
      return () => {
        for (const stop of stops) stop();
      };
    },
    onCameraReport: (report) => {
      log.info(report, 'camera');
      cameraHealth.reported(report);
      cameraGuard.reported(report);
      // A demonstration without a camera goes on with footage; its screens say that it is one.
      if (report.state === 'not-found' && config.demonstration && installation.footageDir) {
        camera.show(SCENES.personOnDayOne.source);
      }
    },
    onFailure: (error) => log.error({ err: error }, 'a visit broke down'),
  });
  closers.push(() => visits.stop());
  const dayCloser = createDayCloser({
    closes: journal.dayCloses,
    devices,
    config: config.businessDay,
    terminalId: activation.terminalId,
    activatedAt: activation.activatedAt,
    sign: identity.signDayClose,
    idle: () => visits.idle,
    clock,
    chance,
    log,
  });
  closers.push(() => dayCloser.close());
  const servicePage = await openServicePage({
    terminal: { name: config.name, profile: config.profile, services },
    devices,
    origins: opened.origins,
    camera: {
      health: cameraHealth,
      connection: () => {
        const source = camera.source();
        return source.kind === 'device' ? (source.label ?? 'the first camera') : 'footage';
      },
      watch: feed.watch,
      guard: cameraGuard,
    },
    blocked,
    suspects: suspectDesk({
      ...whole,
      signCount: (count) => identity.signCount(count),
      unblock: (device) => {
        blocked.delete(device);
        log.warn({ device }, 'a technician has counted: this device may serve again');
      },
    }),
    online: () => sync.online,
    dayCloser,
    notices: standing.words,
    busy: () => !visits.idle,
    port: config.servicePage.port,
    addressFile: places.servicePage,
    clock,
    chance,
    log,
  });
  closers.push(() => servicePage.close());
  sync.start();
  protection.start();
  dayCloser.start();

  return {
    end: {
      handleIntent: (message) => visits.handleIntent(message),
      onView: (listener) => visits.onView(listener),
      onFrameWanted: (listener) => feed.onFrameWanted(listener),
      // What a camera shows that is not this terminal's is not looked at. Asked for again, and so seen as soon as it is.
      handleFrame: (message) => {
        if (cameraGuard.reason() === null) feed.handleFrame(message);
      },
    },
    activated: true,
    controlUrl: controlServer?.url ?? null,
    serviceUrl: servicePage.issueUrl(),
    close,
  };
}

/** Cosine similarity of two unit vectors. */
function cosine(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}
