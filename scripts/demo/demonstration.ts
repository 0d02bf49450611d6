/** Plays the demonstration from a bare machine to reconciled books, and says step by step what was expected and what came. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { DemoBank } from './bank.ts';
import { eventually, type Facts, resultCounts, STEPS, type World } from './steps.ts';
import { DemoTerminal } from './terminal.ts';

export interface StepResult {
  readonly name: string;
  readonly ok: boolean;
  readonly ms: number;
  readonly expected: Facts;
  readonly actual: Facts;
}

export interface DemoResult {
  readonly ok: boolean;
  readonly steps: readonly StepResult[];
  readonly accounts: readonly unknown[];
  readonly cash: unknown;
  readonly results: { readonly sent: number; readonly accepted: number; readonly chainVerified: boolean };
  readonly screenshots: readonly string[];
}

export interface DemoOptions {
  /** Everything the demonstration makes: data of bank and terminals, logs, screenshots. */
  readonly dir: string;
  readonly say: (line: string) => void;
  /** Switches of the machines' XFS4IoT dialect, as `npm run devices -- --dialect` takes them. */
  readonly dialect?: readonly string[];
  /** How many times faster than real mechanisms its devices are. */
  readonly speed?: number;
}

export async function demonstrate({ dir, say, dialect = [], speed = 4 }: DemoOptions): Promise<DemoResult> {
  rmSync(dir, { recursive: true, force: true });
  const shots = { dir: join(dir, 'screenshots'), files: [] as string[] };
  const logs = join(dir, 'logs');
  for (const folder of [shots.dir, logs]) mkdirSync(folder, { recursive: true });
  const bank = new DemoBank(join(dir, 'bank'), join(logs, 'bank.log'));
  const terminal = (name: string, profile: 'atm' | 'checkout') =>
    new DemoTerminal({
      dataDir: join(dir, profile),
      name,
      profile,
      log: join(logs, `${profile}.log`),
      shots,
      dialect,
      speed,
    });
  const world: World = { bank, atm: terminal('ATM 1', 'atm'), checkout: terminal('Checkout 1', 'checkout') };
  const steps: StepResult[] = [];
  try {
    await bank.start();
    for (const [index, step] of STEPS.entries()) {
      say(`${String(index + 1).padStart(2)}/${STEPS.length}  ${step.title}`);
      const from = performance.now();
      let actual: Facts;
      try {
        actual = await step.run(world);
      } catch (error) {
        actual = { error: error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error) };
        await pictureOfFailure(world, step.name);
      }
      const result: StepResult = {
        name: step.name,
        ok: isDeepStrictEqual({ ...actual }, { ...step.expected }),
        ms: Math.round(performance.now() - from),
        expected: step.expected,
        actual,
      };
      steps.push(result);
      say(describe(result));
      // Every later step stands on these: nobody is there to recognise without them.
      if (!result.ok && ['provision', 'enrol', 'deposit'].includes(step.name)) break;
    }
    return {
      ok: steps.length === STEPS.length && steps.every((step) => step.ok),
      steps,
      ...(await closing(world)),
      screenshots: shots.files,
    };
  } finally {
    await world.atm.stop();
    await world.checkout.stop();
    await bank.stop();
  }
}

/** Books, cash and results as they stand at the end; empty where the bank or a terminal can't be asked any more. */
async function closing(world: World): Promise<Pick<DemoResult, 'accounts' | 'cash' | 'results'>> {
  try {
    // The last step's own decision may still be on its way.
    const { sent, accepted, chainVerified } = await eventually(
      () => resultCounts(world),
      (counts) => counts.accepted === counts.sent,
    );
    return {
      accounts: await world.bank.accounts(),
      cash: (await world.atm.devices()).cash,
      results: { sent, accepted, chainVerified },
    };
  } catch {
    return { accounts: [], cash: null, results: { sent: 0, accepted: 0, chainVerified: false } };
  }
}

async function pictureOfFailure(world: World, name: string): Promise<void> {
  for (const terminal of [world.atm, world.checkout]) {
    await terminal.picture(`failed-${name}`).catch(() => undefined); // There may be no screen to take one of.
  }
}

function describe({ name, ok, ms, expected, actual }: StepResult): string {
  const seconds = `${(ms / 1000).toFixed(1)} s`;
  const words = (facts: Facts) =>
    Object.entries(facts)
      .map(([fact, value]) => `${fact} ${value}`)
      .join(', ');
  if (ok) return `       ok  ${name} (${seconds}): ${words(actual)}`;
  return `   FAILED  ${name} (${seconds})\n           expected: ${words(expected)}\n           happened: ${words(actual)}`;
}

export function save(result: DemoResult, file: string): void {
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
}
