import { existsSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { BANK_NODE_FLAGS } from './scripts/demo/bank.ts';
import { FEW_CORES, FRAMES_PASS } from './scripts/demo/processes.ts';

/**
 * Two cores, and one worker more than cores, since many suites wait for real time. One worker takes the suites that look through a
 * camera, from the start and one after the other; the others stand back for it, since a browser that gets no core delivers no frames.
 * Suites that leave nothing behind share their worker's process: to load the product anew for each took a tenth of all the time.
 */
const SET_UP = ['tests/support/stand-back.ts', 'tests/support/lending.ts'];
/** What waits longest comes first; and a process is shared only by files that follow each other. */
const ORDER = ['camera', 'simulation', 'browser', 'integration', 'unit'];
class InOrder extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return ORDER.flatMap((name) => sorted.filter(({ project }) => project.name === name));
  }
}
/**
 * Most suites sync every commit of theirs to a disk, thousands of times: memory where there is enough of it, else the disk. Not where a
 * browser is unpacked, for such a place may refuse to run programs.
 */
const MEMORY = '/dev/shm';
const ROOM_BYTES = 2 ** 31;
const roomy = () => {
  const { bavail, bsize } = statfsSync(MEMORY);
  return bavail * bsize >= ROOM_BYTES;
};
const SCRATCH = existsSync(MEMORY) && roomy() ? { TMPDIR: MEMORY } : {};
/** Some two hundred programs are started: what one has compiled, the next need not. */
const COMPILED = { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules/.cache/kaopass/compiled') };
/** MB of young objects before they are looked through. Node's 16 are full many times a second in a suite that plays visits without a
 *  pause, and what is collected later is mostly gone by then: about a twelfth of a worker's time. */
const ROOMY_HEAP = ['--max-semi-space-size=64'];
/** Busy cores draw late; what is waited for comes, or it fails after this. The default is 1 s. */
const POLL = { poll: { timeout: 15_000 } };

export default defineConfig({
  test: {
    maxWorkers: 3,
    sequence: { sequencer: InOrder },
    projects: [
      {
        test: {
          name: 'unit',
          isolate: false,
          setupFiles: SET_UP,
          execArgv: ROOMY_HEAP,
          env: SCRATCH,
          include: [
            'src-{contract,main,bank,devices}/**/*.test.ts',
            'src-renderer/**/*.test.{ts,tsx}',
            'scripts/**/*.test.ts',
          ],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'integration',
          isolate: false,
          setupFiles: SET_UP,
          execArgv: ROOMY_HEAP,
          env: { ...SCRATCH, ...COMPILED },
          include: ['tests/integration/**/*.test.ts'],
          // Five times what the longest takes in a whole run on two cores: a power cut at every moment of a withdrawal, 33 s.
          testTimeout: 180_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          // Each in a process of its own: it puts its own chance and cryptography in the place of Node's.
          name: 'simulation',
          setupFiles: SET_UP,
          execArgv: [...ROOMY_HEAP, ...BANK_NODE_FLAGS],
          env: SCRATCH,
          include: ['tests/simulation/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'browser',
          setupFiles: SET_UP,
          execArgv: ROOMY_HEAP,
          include: ['tests/browser/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          expect: POLL,
        },
      },
      {
        test: {
          name: 'camera',
          // It sends frames of a camera itself.
          execArgv: [...ROOMY_HEAP, ...FEW_CORES, ...FRAMES_PASS],
          env: COMPILED,
          include: ['tests/camera.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          expect: POLL,
        },
      },
    ],
  },
});
