/** One terminal of a run, over all its power cuts: its disk, its keys, its devices with what is in them, and whoever stands before it. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { View } from '../../src-contract/screen.ts';
import { type Chance, type Clock, deadline } from '../../src-main/clock.ts';
import { Config } from '../../src-main/config/config.ts';
import { loadGoods } from '../../src-main/config/goods.ts';
import { BusinessDayConfig } from '../../src-main/day-close/business-day.ts';
import { createDayCloser, type DayCloser } from '../../src-main/day-close/day-close.ts';
import { openSimulatedDevices, type SimulatedDevices } from '../../src-main/devices/simulated/open.ts';
import { TerminalError } from '../../src-main/errors.ts';
import type { KeyStore } from '../../src-main/identity/key-store.ts';
import type { Journal } from '../../src-main/journal/journal.ts';
import { dataPlaces } from '../../src-main/places.ts';
import { introduce } from '../../src-main/provisioning/activate.ts';
import {
  BANK_URL,
  openTerminal,
  type ServingTerminal,
  serve,
  type TerminalGround,
} from '../support/compose-terminal.ts';
import { living, ScriptedCamera } from '../support/scripted-camera.ts';
import { Mains, PowerCut } from '../support/world-clock.ts';
import { SimulatedDisk } from './disk.ts';
import { chanceFrom, type Stream } from './generator.ts';
import { Line } from './line.ts';
import { keyStoreFrom } from './memory-key-store.ts';
import type { TerminalSetup, Visit } from './story.ts';
import {
  deviceCouldSay,
  type Hands,
  NO_NOTES,
  type Notes,
  notesAnywhere,
  same,
  together,
  Window,
  without,
  worth,
} from './truth.ts';
import type { World } from './world.ts';

const DIMENSIONS = 32;
/** Few frames, and as close as a decision needs them. */
const FRAME_MS = 250;
const GOODS_FILE = join(import.meta.dirname, '../../src-main/config/goods.demonstration.json');
const goods = loadGoods(GOODS_FILE);
export const GOODS = [...goods.values()];
/** A program that could not start is started again by its supervisor after this. */
const START_AGAIN_MS = 60_000;
/** Longest that a technician waits for one command, ms. */
const PATIENCE_MS = 60_000;
const never = new AbortController().signal;
const quiet = pino({ level: 'silent' });

/** Everybody looks as different from everybody else as can be: who is mistaken for whom is another suite's matter. */
export function faceOf(person: number): Float32Array {
  const face = new Float32Array(DIMENSIONS);
  face[person] = 1;
  return face;
}

interface Running {
  readonly mains: Mains;
  readonly dayCloser: DayCloser;
  readonly serving: ServingTerminal;
  readonly simulated: SimulatedDevices;
}

export class SimulatedTerminal {
  readonly world: World;
  readonly setup: TerminalSetup;
  readonly line: Line;
  readonly journalPath: string;
  terminalId = '';
  /** Null while it is dark or not yet serving. */
  running: Running | null = null;
  view: View | null = null;
  /** How wrong its clock is, ms. */
  clockOffMs = 0;
  readonly disk: SimulatedDisk;
  window: Window | null = null;
  /** Whether notes were moved by a technician, or may lie where no transaction put them. */
  notesMovedByHand = false;
  /** Windows that are over. */
  readonly windows: Window[] = [];
  /** Signed match results as the journal gave them out. */
  readonly signed: string[] = [];
  /** Of each transaction: in which window it was begun, and what hands had taken out of the output and left inside by then. */
  readonly #begun = new Map<string, { readonly window: Window; readonly paid: Notes; readonly kept: Notes }>();
  readonly #places: ReturnType<typeof dataPlaces>;
  readonly #keyStore: KeyStore;
  readonly #chance: Chance;
  readonly #noise: Stream;
  #mains: Mains | null = null;
  #simulated: SimulatedDevices | null = null;
  #camera: ScriptedCamera | null = null;
  #offMs = 0;
  #queue: Promise<void> = Promise.resolve();
  /** What hands brought and took, as they counted it. */
  #handsIn: Notes = NO_NOTES;
  #handsOut: Notes = NO_NOTES;
  /** Of it, what they took from the output. */
  #paid: Notes = NO_NOTES;
  /** Between hand and machine at this moment: brought, or (negative) taken. */
  #inHand: Notes = NO_NOTES;

  constructor(world: World, setup: TerminalSetup) {
    this.world = world;
    this.setup = setup;
    this.line = new Line(world, setup.name);
    const dir = join(world.dir, setup.name);
    mkdirSync(dir, { recursive: true });
    this.#places = dataPlaces(dir);
    this.journalPath = this.#places.journal;
    this.#keyStore = keyStoreFrom(world.stream(`keys of ${setup.name}`));
    this.#chance = chanceFrom(
      world.stream(`chance of ${setup.name}`),
      () => world.time.now() + this.clockOffMs,
    ) as Chance;
    this.disk = new SimulatedDisk(world, setup.name, () => {
      if (this.window) this.window.diskFull = true;
    });
    this.#noise = world.stream(`camera of ${setup.name}`);
  }

  get name(): string {
    return this.setup.name;
  }

  get isOn(): boolean {
    return this.#mains?.on ?? false;
  }

  /** Introduces the terminal to the bank, on a line without trouble. */
  async activate(): Promise<void> {
    const { code } = await this.world.bank.staff<{ code: string }>('POST', '/admin/activation-codes', {});
    const { terminalId } = await introduce(
      {
        bankUrl: BANK_URL,
        activationCode: code,
        name: this.name,
        profile: this.setup.profile,
        fetch: this.line.fetch,
        clock: this.world.time,
        chance: this.#chance,
        signal: never,
      },
      this.#keyStore,
    );
    this.terminalId = terminalId;
  }

  /** Switches on, and on again after every power cut, until the run is over. */
  async live(): Promise<void> {
    const { world } = this;
    while (!world.over.signal.aborted) {
      const mains = new Mains(world.time);
      this.#mains = mains;
      this.#offMs = 0;
      const dark = new Promise<void>((resolve) => mains.onCut(resolve));
      let closed: Promise<unknown> = Promise.resolve();
      this.#start(mains, (closing) => {
        closed = closing;
      }).catch((error: unknown) => {
        if (!mains.on) return;
        world.count('trouble', 'starts that failed');
        world.note(this.name, `cannot start: ${String(error)}`);
        if (!this.disk.full) world.violation('program', `a start failed: ${String(error)}`);
        this.#offMs = START_AGAIN_MS;
        mains.cut();
      });
      await dark;
      this.running = null;
      this.view = null;
      if (this.window) this.window.dark = true;
      world.note(this.name, `dark after ${mains.moments.at(-1) ?? 'nothing'}`);
      await closed;
      await world.time.sleep(Math.max(this.#offMs, 500), world.over.signal).catch(() => undefined);
    }
  }

  /** The plug is pulled at the so-many-th effect from now on. */
  cutAfter(effects: number, offMs: number): void {
    const mains = this.#mains;
    if (!mains?.on) return;
    mains.cutAfter(effects);
    mains.onCut(() => {
      this.#offMs = offMs;
      this.world.count('trouble', 'power cut');
    });
  }

  /** A polite end, as a technician's; it starts again at once. */
  async restart(): Promise<void> {
    const { running } = this;
    if (!running) return;
    this.world.count('trouble', 'restart');
    this.world.note(this.name, 'is restarted');
    await running.dayCloser.close();
    await running.serving.close();
    running.mains.cut();
  }

  /** A technician closes the business day, if nobody is served. */
  async closeDay(): Promise<void> {
    const { running, world } = this;
    if (!running) return;
    try {
      const { number } = await running.dayCloser.closeNow(never);
      world.count('visit', 'a technician who closes the day');
      world.note(this.name, `day close ${number}`);
    } catch (error) {
      if (!running.mains.on) return;
      if (!(error instanceof TerminalError)) throw error;
      world.note(this.name, `the day is not closed: ${error.message}`);
    }
  }

  /** The run is over. */
  async end(): Promise<void> {
    await this.running?.dayCloser.close();
    await this.running?.serving.close();
    this.#mains?.cut();
  }

  /** Waits for whoever is being served, then has the terminal to itself. */
  async turn(work: () => Promise<void>): Promise<void> {
    const before = this.#queue;
    const mine = Promise.withResolvers<void>();
    this.#queue = mine.promise;
    await before;
    try {
      await work();
    } finally {
      mine.resolve();
    }
  }

  stands(person: number | null): void {
    if (this.#camera) this.#camera.scene = person === null ? [] : [living(faceOf(person))];
  }

  /** Ends the window before, and begins that of this visit. */
  open(visit: Visit | null): void {
    this.#look();
    if (this.window) this.windows.push(this.window);
    this.window = visit && new Window(visit, this.world.time.monotonicMs(), this.cash(), this.#hands);
    if (this.window && this.#silent()) this.window.silence = true;
    if (this.window) this.window.clockSteps = this.world.story.items.some(({ kind }) => kind === 'clock step');
  }

  cash() {
    return this.#simulated?.control.cash() ?? null;
  }

  /** Whether a PIN entry waits for keys. */
  get pinWaits(): boolean {
    return this.#simulated?.control.state().pinPad?.entering ?? false;
  }

  async press(keys: string): Promise<void> {
    await this.#tries(this.#simulated?.control.pressKeys(keys));
  }

  async scan(barcode: string): Promise<void> {
    await this.#tries(this.#simulated?.control.scan(barcode));
  }

  /** What is done at a machine that goes dark meanwhile comes to nothing. */
  async #tries(deed: Promise<unknown> | undefined): Promise<void> {
    try {
      await deed;
    } catch (error) {
      if (this.isOn) throw error;
    }
  }

  /** False when the machine does not take notes now. 0 is paper that is no money. */
  async insert(bunch: Readonly<Record<number, number>>): Promise<boolean> {
    const notes = Object.entries(bunch).map(([note, count]) => ({ denominationMinor: Number(note), count }));
    const money = notes.filter(({ denominationMinor }) => denominationMinor > 0);
    const unrecognised = bunch[0] ?? 0;
    const brought: Notes = Object.fromEntries(money.map((one) => [one.denominationMinor, one.count]));
    const answer = await this.#hand(brought, this.#simulated?.control.insertNotes(money, { unrecognised }));
    if (!answer) return false;
    this.#handsIn = together(this.#handsIn, brought);
    this.world.note(this.name, `notes put in: ${JSON.stringify(bunch)}`);
    this.step();
    return true;
  }

  /** What lies at the output. */
  async take(): Promise<void> {
    const notes = this.cash()?.output ?? {};
    if (!(await this.#hand(without({}, notes), this.#simulated?.control.takeNotes()))) return;
    this.#handsOut = together(this.#handsOut, notes);
    this.#paid = together(this.#paid, notes);
    this.world.note(this.name, `notes taken: ${JSON.stringify(notes)}`);
    this.step();
  }

  /** What lies at the input, given back. */
  async takeBack(): Promise<void> {
    this.#look();
    const notes = this.cash()?.returned.notes ?? {};
    if (!(await this.#hand(without({}, notes), this.#simulated?.control.takeReturned()))) return;
    this.#handsOut = together(this.#handsOut, notes);
    this.world.note(this.name, `notes taken back: ${JSON.stringify(notes)}`);
    this.step();
  }

  /** True when the deed was done. */
  async #hand(notes: Notes, deed: Promise<{ readonly ok: boolean }> | undefined): Promise<boolean> {
    this.#inHand = notes;
    try {
      return (await deed)?.ok ?? false;
    } finally {
      this.#inHand = NO_NOTES;
    }
  }

  arm(
    device: Parameters<SimulatedDevices['control']['clearFault']>[0] & string,
    fault: string,
    forMs: number | null,
  ): void {
    const simulated = this.#simulated;
    if (!simulated || (this.setup.profile === 'checkout' && device.startsWith('cash'))) return;
    simulated.control.armFault({ device, fault, mode: forMs === null ? 'once' : 'untilCleared' });
    this.world.count('trouble', `${device}: ${fault}`);
    this.world.note(this.name, `${device}: ${fault}`);
    if (this.window && this.#silent()) this.window.silence = true;
    if (forMs !== null) this.world.time.after(forMs, () => this.#simulated?.control.clearFault(device, fault));
  }

  /** Everything is repaired; notes stay where they are. */
  heal(): void {
    this.line.mend();
    this.clockOffMs = 0;
    this.disk.free();
    this.#simulated?.control.clearFault();
  }

  /** Whether its own screens and alarms call for a restart: something could not be written down. */
  get wantsRestart(): boolean {
    return this.running?.serving.journal.storage.trouble?.kind === 'failed';
  }

  get #hands(): Hands {
    return { broughtMinor: worth(this.#handsIn), tookMinor: worth(this.#paid) };
  }

  /** What hands left in the machine in all. */
  get #kept(): Notes {
    return without(together(this.#handsIn, this.#paid), this.#handsOut);
  }

  get hasSuspects(): boolean {
    return (this.running?.serving.suspects.list().length ?? 0) > 0;
  }

  /** A technician with a code of the bank's staff clears the path and counts, and finds what hands know. */
  async countSuspects(): Promise<void> {
    const { running, world } = this;
    if (!running) return;
    const { suspects } = running.serving;
    const dark = new Promise<null>((resolve) => running.mains.onCut(() => resolve(null)));
    const done = <Answer>(work: Promise<Answer>) => {
      const lit = work.catch((error: unknown) => {
        // A full disk takes no count, and says so: whether it was entered shows once everything heals.
        if (running.mains.on && !this.disk.full) throw error;
        return null;
      });
      return Promise.race([lit, dark]);
    };
    const order = { currency: 'JPY', staffId: 'T-1', note: '' } as const;
    for (const { transactionId, service } of suspects.list()) {
      const begun = this.#begun.get(transactionId);
      const seen = begun?.window.suspects.find((one) => one.transactionId === transactionId);
      if (!begun || !seen) continue;
      const cleared = await done(suspects.clear(transactionId, never));
      if (cleared?.outcome !== 'cleared') continue;
      const { code } = await world.time.during(
        world.bank.staff<{ code: string }>('POST', '/admin/technician-codes', { terminalId: this.terminalId }),
      );
      const moved = service === 'withdraw' ? without(this.#paid, begun.paid) : without(this.#kept, begun.kept);
      const notes = Object.entries(moved).map(([note, count]) => ({ denominationMinor: Number(note) as 1_000, count }));
      world.note(this.name, `counted ${worth(moved)} for ${service} ${transactionId}`);
      Object.assign(seen, { countedMinor: worth(moved), inDoubt: true });
      const answer = await done(suspects.count({ ...order, transactionId, notes, technicianCode: code }, never));
      if (answer?.outcome === 'settled') seen.inDoubt = false;
      if (answer?.outcome === 'refused') Object.assign(seen, { countedMinor: null, inDoubt: false });
      world.note(this.name, `the count: ${JSON.stringify(answer)}`);
    }
  }

  /** Of counts during which the power went or the disk was full: whether they were entered. Only one that serves can say. */
  resolveCounts(): void {
    if (!this.running) throw new Error(`${this.name} does not serve, and its suspects cannot be listed`);
    const left = new Set<string>(this.running.serving.suspects.list().map(({ transactionId }) => transactionId));
    for (const { window } of this.#begun.values()) {
      for (const seen of window.suspects) {
        if (!seen.inDoubt) continue;
        seen.inDoubt = false;
        if (left.has(seen.transactionId)) seen.countedMinor = null;
      }
    }
  }

  /** What somebody does who opens the machine: clears its path by its own commands. */
  async clear(): Promise<void> {
    const { cashDispenser, cashAcceptor } = this.#simulated?.devices ?? {};
    if (!this.running || !cashDispenser || !cashAcceptor) return;
    this.world.note(this.name, 'a technician clears the path');
    this.notesMovedByHand = true;
    const tries = async (work: (signal: AbortSignal) => Promise<unknown>) => {
      using limit = deadline(this.world.time, PATIENCE_MS);
      await work(limit.signal).catch(() => undefined);
    };
    await tries((signal) => cashDispenser.retract(signal));
    await tries((signal) => cashDispenser.reset(signal));
    await tries((signal) => cashAcceptor.reset(signal));
    this.step();
  }

  /** After every effect: what must hold at any moment. */
  step(): void {
    const cash = this.cash();
    if (!cash) return;
    this.window?.look(cash, this.#hands);
    const brought = together(
      ...this.setup.load.map((unit): Notes => (unit.denominationMinor ? { [unit.denominationMinor]: unit.count } : {})),
      this.#handsIn,
    );
    const there = together(notesAnywhere(cash), this.#handsOut);
    if (!same(brought, there) && !same(together(brought, this.#inHand), there)) {
      const off = JSON.stringify(without(there, brought));
      this.world.violation('cash', `${this.name}: notes made or lost: ${off}`);
    }
    const { window } = this;
    if (window && window.takenMinor > (window.askedMinor ?? 0)) {
      this.world.violation(
        'cash',
        `${this.name}: ${window.takenMinor} taken where ${window.askedMinor ?? 0} was asked`,
      );
    }
  }

  #look(): void {
    const cash = this.cash();
    if (cash) this.window?.look(cash, this.#hands);
  }

  /** Whether a cash device is, or will be, silent or slow. */
  #silent(): boolean {
    const faults = this.#simulated?.control.state().faults ?? [];
    return faults.some(({ device, fault }) => device.startsWith('cash') && /^(gone|answer-lost|slow)$/.test(fault));
  }

  async #start(mains: Mains, onClosing: (closed: Promise<unknown>) => void): Promise<void> {
    const { world, setup } = this;
    const { bug } = world;
    const clock = this.#skewed(mains.clock(null));
    const ground: TerminalGround = {
      places: this.#places,
      keyStore: this.#keyStore,
      clock,
      chance: this.#chance,
      dimensions: DIMENSIONS,
      log: quiet,
      onAlarm: ({ kind, message }) => world.note(this.name, `alarm ${kind}: ${message}`),
      room: this.disk,
      ...(bug?.signer ? { signer: bug.signer } : {}),
    };
    const opened = await openTerminal(ground);
    const simulated = await openSimulatedDevices({
      dir: this.#places.devices,
      clock: mains.clock('device'),
      chance: this.#chance,
      profile: setup.profile,
      load: setup.load,
      speed: 2,
      paperTray: { form: { text: 'kanji', widthDots: 576 }, keep: (bytes) => this.#printed(bytes) },
    });
    this.#simulated = simulated;
    mains.onCut(() => {
      onClosing(simulated.close());
      opened.close();
    });
    const camera = new ScriptedCamera(clock, { frameMs: FRAME_MS, near: (face, cosine) => this.#near(face, cosine) });
    this.#camera = camera;
    const serving = await serve(opened, ground, {
      config: Config.parse({ name: this.name, profile: setup.profile, bankUrl: BANK_URL, language: 'ja' }),
      line: this.#lineOn(mains),
      devices: bug?.devices ? bug.devices(simulated.devices) : simulated.devices,
      camera,
      goods,
      times: { roundMs: setup.roundMs, probeMs: Math.round(setup.roundMs / 4) },
      journal: (journal) => {
        const real = this.#journalOn(journal, mains);
        return bug?.journal ? bug.journal(real) : real;
      },
      ...(bug?.bank ? { bank: bug.bank } : {}),
      onFailure: (error) => {
        if (!mains.on) return;
        world.note(this.name, `a visit broke down: ${String(error)}`);
        // A full disk may break a visit; nothing else may.
        if (!(error instanceof TerminalError && /^DISK_/.test(error.code))) {
          world.violation('program', `a visit broke down: ${String(error)}`);
        }
      },
    });
    if (!mains.on) return;
    const dayCloser = createDayCloser({
      closes: serving.journal.dayCloses,
      devices: simulated.devices,
      config: BusinessDayConfig.parse({ timeZone: 'UTC', ...(setup.cutOff ? { cutOff: setup.cutOff } : {}) }),
      terminalId: opened.activation.terminalId,
      activatedAt: opened.activation.activatedAt,
      sign: opened.identity.signDayClose,
      idle: () => serving.visits.idle,
      clock,
      chance: this.#chance,
      log: quiet,
    });
    mains.onCut(() => void dayCloser.close());
    if (setup.cutOff) dayCloser.start();
    for (const { from, to } of serving.recovered) world.note(this.name, `settled at start: ${from} → ${to}`);
    serving.visits.onView((view) => {
      if (mains.on) this.#saw(View.parse(view));
    });
    this.running = { mains, dayCloser, serving, simulated };
    world.note(this.name, 'serves');
    this.step();
  }

  #saw(view: View): void {
    this.view = view;
    this.world.note(this.name, `shows ${JSON.stringify(view.screen)}`);
    this.window?.shown.set(view.screen.name, view.screen);
    if (this.window && view.screen.name === 'done') this.window.doneAt ??= this.world.time.monotonicMs();
    if (view.screen.name !== 'look' && view.screen.name !== 'pin') this.step();
  }

  #printed(bytes: Uint8Array): void {
    const text = new TextDecoder('shift_jis').decode(bytes);
    this.world.note(this.name, `prints ${bytes.length} bytes`);
    this.window?.receipts.push(text);
  }

  #skewed(clock: Clock): Clock {
    return { ...clock, now: () => (clock.now() + this.clockOffMs) as ReturnType<Clock['now']> };
  }

  /** Power can go before and after each write, and the disk may be full. */
  #journalOn(journal: Journal, mains: Mains): Journal {
    const { world } = this;
    const need = (moment: string) => {
      if (!mains.moment(moment)) throw new PowerCut(moment);
    };
    const written = <Result>(what: string, write: () => Result): Result => {
      need(`before ${what}`);
      const result = this.disk.watching(what, write);
      world.note(this.name, `journal: ${what}`);
      this.step();
      need(`after ${what}`);
      return result;
    };
    const { outbox, dayCloses } = journal;
    return {
      ...journal,
      dayCloses: {
        ...dayCloses,
        record: (close) => written(`day close ${close.number}`, () => dayCloses.record(close)),
        counts: {
          ...dayCloses.counts,
          record: (counts) => written(`counts, ${counts.kind}`, () => dayCloses.counts.record(counts)),
        },
      },
      outbox: {
        ...outbox,
        delivered: (ids) => written(`delivered ${ids.join(' ')}`, () => outbox.delivered(ids)),
        failed: (ids, failure) => written(`failed ${ids.join(' ')}`, () => outbox.failed(ids, failure)),
        deadLetter: (id, reason) => written(`dead letter ${id}: ${reason}`, () => outbox.deadLetter(id, reason)),
      },
      standIn: { ...journal.standIn, settle: () => written('stand-ins settled', () => journal.standIn.settle()) },
      begin: (transaction, messages) =>
        written(`begin ${transaction.service} ${transaction.transactionId}`, () => {
          journal.begin(transaction, messages);
          const { window } = this;
          if (window) this.#begun.set(transaction.transactionId, { window, paid: this.#paid, kept: this.#kept });
        }),
      record: (transactionId, event, messages) => {
        written(`${event.state} ${transactionId}`, () => journal.record(transactionId, event, messages));
        if (event.final || event.state === 'suspect') this.#ended(journal, transactionId, event.state);
      },
      recordResult: async (unsigned) => {
        need('before result');
        const recorded = await this.disk.watching('result', () => journal.recordResult(unsigned));
        this.signed.push(recorded.jws);
        world.note(this.name, `journal: result ${recorded.sequence} ${unsigned.service} ${unsigned.outcome}`);
        need('after result');
        return recorded;
      },
      recordConsent: (consent) => written('consent', () => journal.recordConsent(consent)),
    };
  }

  #ended(journal: Journal, transactionId: string, state: string): void {
    const service = journal.transaction(transactionId as never)?.service ?? 'unknown';
    const { suspects } = this.#begun.get(transactionId)?.window ?? {};
    // A suspect is recorded again each time its device is cleared.
    if (state === 'suspect' && suspects?.some((seen) => seen.transactionId === transactionId)) return;
    this.world.count('transaction', `${service}: ${state}`);
    if (state !== 'suspect') return;
    this.notesMovedByHand = true;
    const cash = this.cash();
    const couldSay = cash !== null && deviceCouldSay(cash, service);
    suspects?.push({ transactionId, couldSay, countedMinor: null, inDoubt: false });
  }

  /** Power can go before a request leaves and before its answer is read. */
  #lineOn(mains: Mains): Line['fetch'] {
    const dark = () => new Promise<never>(() => {});
    return async (url, init) => {
      const counts = !/health|policy|gallery/.test(url);
      const { pathname } = new URL(url);
      if (!mains.on || (counts && !mains.moment(`before ${pathname}`))) return await dark();
      const answer = await this.line.fetch(url, init);
      if (!mains.on || (counts && !mains.moment(`after ${pathname}`))) return await dark();
      return answer;
    };
  }

  /** The same face is a little another one in each frame. */
  #near(face: Float32Array, cosine: number): Float32Array {
    const across = face.map(() => this.#noise.fraction() - 0.5);
    const along = across.reduce((sum, value, at) => sum + value * face[at]!, 0);
    const orthogonal = across.map((value, at) => value - along * face[at]!);
    const length = Math.hypot(...orthogonal);
    const sine = Math.sqrt(1 - cosine * cosine);
    return face.map((value, at) => cosine * value + (sine * orthogonal[at]!) / length);
  }
}
