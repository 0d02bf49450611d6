/** Somebody at a terminal: reads the screen, thinks, and does what it offers, in the way the story says. */
import type { Intent, Screen } from '../../src-contract/screen.ts';
import { Stream } from './generator.ts';
import type { Visit } from './story.ts';
import { GOODS, type SimulatedTerminal } from './terminal.ts';
import { worth } from './truth.ts';
import type { World } from './world.ts';

/** Longest that anybody stays, and that they wait for a terminal that is dark or busy with somebody who went away, ms. */
const STAYS_MS_MAX = 12 * 60_000;
const DARK_MS_MAX = 2 * 60_000;
/** Notes in the customer's reach are retracted after this; config's default, ms. */
const TAKE_MS = 30_000;

export const pinOf = (person: number): string => ['4682', '7395', '2846', '9164'][person % 4]!;

export async function come(world: World, terminal: SimulatedTerminal, visit: Visit): Promise<void> {
  const stream = new Stream(visit.seed);
  const wait = (ms: number) => world.time.sleep(ms, world.over.signal);
  const invites = () => terminal.view?.screen.name === 'attract';
  for (let waited = 0; !invites(); waited += 5_000) {
    if (waited >= DARK_MS_MAX) return;
    await wait(5_000);
  }
  await helpOut(world, terminal, stream);
  if (!invites()) return;
  terminal.open(visit);
  world.count('visit', visit.service);
  world.note(terminal.name, `person ${visit.person} comes to ${visit.service}`);
  terminal.stands(visit.person);
  const person = new Person(world, terminal, visit, stream);
  const until = world.time.monotonicMs() + STAYS_MS_MAX;
  while (world.time.monotonicMs() < until && (await person.acts()) === 'stays');
  await person.leaves();
}

/** A machine that stands still is looked at by somebody, sooner or later. */
async function helpOut(world: World, terminal: SimulatedTerminal, stream: Stream): Promise<void> {
  if (terminal.wantsRestart && stream.chance(0.6)) {
    world.count('visit', 'a technician who restarts');
    await terminal.restart();
    return;
  }
  if (terminal.hasSuspects && terminal.view?.screen.name === 'attract' && stream.chance(0.5)) {
    world.count('visit', 'a technician who counts');
    await terminal.countSuspects();
    return;
  }
  const cash = terminal.cash();
  if (!cash || terminal.view?.screen.name !== 'attract') return;
  const health = Object.values(terminal.running?.simulated.control.state().health ?? {});
  const stuck = health.some(({ state }) => state === 'hardwareError') || worth(cash.returned.notes) > 0;
  if (!stuck || !stream.chance(0.6)) return;
  world.count('visit', 'a technician who clears the path');
  await terminal.clear();
}

class Person {
  readonly #world: World;
  readonly #terminal: SimulatedTerminal;
  readonly #visit: Visit;
  readonly #stream: Stream;
  #screens = 0;
  #last = '';
  #begun = false;
  #bunches: Visit['bunches'];
  #goods: Visit['goods'];
  #payees: Visit['payees'];
  #wrongPins: number;
  #quiet = 0;
  #spoke = false;
  #presentedAt: number | null = null;

  constructor(world: World, terminal: SimulatedTerminal, visit: Visit, stream: Stream) {
    this.#world = world;
    this.#terminal = terminal;
    this.#visit = visit;
    this.#stream = stream;
    this.#bunches = visit.bunches;
    this.#goods = visit.goods;
    this.#payees = visit.payees;
    this.#wrongPins = visit.wrongPins;
  }

  /** One look at the screen, and what follows from it. */
  async acts(): Promise<'stays' | 'goes'> {
    await this.#world.time.sleep(this.#stream.whole(300, 2_000), this.#world.over.signal);
    const { view } = this.#terminal;
    if (view === null) return this.#begun || this.#stream.chance(0.5) ? 'goes' : 'stays';
    const { name } = view.screen;
    if (name !== this.#last) {
      this.#last = name;
      this.#screens += 1;
      this.#quiet = 0;
    }
    if (this.#visit.leavesAfter !== null && this.#screens > this.#visit.leavesAfter) return 'goes';
    return await this.#answers(view);
  }

  async leaves(): Promise<void> {
    const terminal = this.#terminal;
    // What lies in reach is seen also when the screen is dark.
    if (this.#visit.takesBack) await terminal.takeBack();
    const own = this.#visit.service === 'withdraw' && this.#terminal.window?.askedMinor !== null;
    if (own && (this.#visit.takes === 'at once' || this.#visit.takes === 'in time')) await terminal.take();
    terminal.stands(null);
    this.#world.note(terminal.name, `person ${this.#visit.person} leaves`);
  }

  #says(intent: Intent): boolean {
    const { running, view } = this.#terminal;
    if (!running || !view) return false;
    return running.serving.visits.handleIntent({ revision: view.revision, intent }).ok;
  }

  async #answers(view: NonNullable<SimulatedTerminal['view']>): Promise<'stays' | 'goes'> {
    const { screen } = view;
    const visit = this.#visit;
    switch (screen.name) {
      case 'attract':
        if (this.#begun) return 'goes';
        this.#begun = true;
        if (visit.service === 'purchase') await this.#scans();
        else if (visit.terminal === 'Checkout') this.#says({ kind: 'choose-service', service: visit.service });
        else this.#says({ kind: 'begin' });
        return 'stays';
      case 'menu': {
        if (!this.#spoke && visit.language !== view.language) {
          this.#spoke = true;
          this.#says({ kind: 'set-language', language: visit.language });
          return 'stays';
        }
        const offered = screen.services.find(({ service }) => service === visit.service)?.available ?? false;
        if (offered && this.#says({ kind: 'choose-service', service: visit.service })) return 'stays';
        this.#world.count('visit', `${visit.service}, not offered`);
        this.#says({ kind: 'cancel' });
        return 'stays';
      }
      case 'consent':
        this.#says({ kind: 'answer-consent', version: screen.consent.version, agreed: true });
        return 'stays';
      case 'amount':
        this.#chooses(screen.refused !== null, screen.refused?.possibleMinor ?? screen.choices);
        return 'stays';
      case 'pin':
        await this.#keys(screen.purpose);
        return 'stays';
      case 'insert-cash':
        await this.#inserts(screen.problem);
        return 'stays';
      case 'confirm-deposit':
        this.#says({ kind: visit.cancels === 'at the count' ? 'cancel' : 'confirm' });
        return 'stays';
      case 'payee':
        this.#keysPayee();
        return 'stays';
      case 'confirm-transfer':
        this.#agrees(screen);
        return 'stays';
      case 'take-cash':
        await this.#takes();
        return 'stays';
      case 'take-returned':
        if (visit.takesBack) await this.#terminal.takeBack();
        return 'stays';
      case 'receipt':
        this.#says({ kind: 'choose-receipt', print: visit.receipt });
        return 'stays';
      case 'basket':
        if (visit.cancels === 'at the first chance') this.#says({ kind: 'cancel' });
        else if (this.#goods.length > 0) await this.#scans();
        else this.#says({ kind: 'pay' });
        return 'stays';
      case 'opt-out':
        this.#says({ kind: visit.cancels === 'at the first chance' ? 'cancel' : 'confirm' });
        return 'stays';
      case 'balance':
      case 'done':
        this.#says({ kind: 'confirm' });
        return 'stays';
      case 'sorry':
        this.#says({ kind: 'cancel' });
        return 'stays';
      case 'out-of-service':
        return 'goes';
      default:
        return 'stays';
    }
  }

  async #scans(): Promise<void> {
    const [first = 0, ...more] = this.#goods;
    this.#goods = more;
    await this.#terminal.scan(GOODS[first % GOODS.length]!.barcode);
  }

  #chooses(refused: boolean, possible: readonly number[]): void {
    const { yen, cancels } = this.#visit;
    const asked = refused ? possible[0] : yen;
    if (asked === undefined || (refused && cancels === 'at the count') || cancels === 'at the first chance') {
      this.#says({ kind: 'cancel' });
      return;
    }
    const { window } = this.#terminal;
    if (window && this.#visit.service === 'withdraw') window.askedMinor = asked;
    this.#says({ kind: 'choose-amount', amountMinor: asked as never });
  }

  #keysPayee(): void {
    const [payee, ...more] = this.#payees;
    if (payee === undefined || this.#visit.cancels === 'at the first chance') {
      this.#says({ kind: 'cancel' });
      return;
    }
    this.#payees = more;
    const accountNumber = this.#world.payees[payee] ?? '0000000000';
    const { window } = this.#terminal;
    if (this.#says({ kind: 'enter-payee', accountNumber }) && window) window.payeeNumber = accountNumber;
  }

  /** Whoever has another number in mind corrects the one on the screen. */
  #agrees({ amount, payee }: Extract<Screen, { name: 'confirm-transfer' }>): void {
    if (this.#visit.cancels === 'at the count') this.#says({ kind: 'cancel' });
    else if (this.#payees.length > 0) this.#says({ kind: 'correct', what: 'payee' });
    else {
      const { window } = this.#terminal;
      if (window) window.agreed = { amountMinor: amount.amountMinor, payeeNumber: payee.accountNumber };
      this.#says({ kind: 'confirm' });
    }
  }

  async #keys(purpose: 'verify' | 'choose' | 'repeat'): Promise<void> {
    if (!this.#terminal.pinWaits) return;
    const wrong = purpose === 'verify' && this.#wrongPins > 0;
    if (wrong) this.#wrongPins -= 1;
    await this.#terminal.press(wrong ? '5807E' : `${pinOf(this.#visit.person)}E`);
  }

  async #inserts(problem: string | null): Promise<void> {
    const terminal = this.#terminal;
    const { notes = {}, unrecognised = 0 } = terminal.cash()?.returned ?? {};
    const [next, ...more] = this.#bunches;
    // The slot takes nothing more before; whoever is done may leave them lying.
    if ((worth(notes) > 0 || unrecognised > 0) && (next || this.#visit.takesBack)) {
      await terminal.takeBack();
      return;
    }
    if (this.#visit.cancels === 'at the first chance') {
      this.#says({ kind: 'cancel' });
    } else if (next) {
      if (await terminal.insert(next)) {
        this.#bunches = more;
        this.#quiet = 0;
      } else if (++this.#quiet > 4) this.#bunches = more;
    } else if (++this.#quiet >= 3) {
      this.#quiet = 0;
      // Whoever is told that nothing was put in gives up.
      this.#says({ kind: problem === 'nothing-inserted' ? 'cancel' : 'confirm' });
    }
  }

  async #takes(): Promise<void> {
    const now = this.#world.time.monotonicMs();
    this.#presentedAt ??= now;
    const since = now - this.#presentedAt;
    const patience = { 'at once': 0, 'in time': TAKE_MS / 2, late: TAKE_MS + 150, never: Number.POSITIVE_INFINITY };
    if (since >= patience[this.#visit.takes]) await this.#terminal.take();
    else await this.#world.time.sleep(Math.min(patience[this.#visit.takes] - since, 4_000), this.#world.over.signal);
  }
}
