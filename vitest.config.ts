import { existsSync, statfsSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

/**
 * Two cores, and one worker more than cores, since many suites wait for real time. But the suites that look through a camera run
 * last and alone: a browser that shares its cores with a database suite delivers too few frames.
 */
const CAMERA_SUITES = [
  'tests/browser/{terminal,terminal-camera,demonstration,camera}.test.ts',
  'tests/integration/crash.test.ts',
];
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
/** Busy cores draw late; what is waited for comes, or it fails after this. The default is 1 s. */
const POLL = { poll: { timeout: 15_000 } };

export default defineConfig({
  test: {
    maxWorkers: 3,
    projects: [
      {
        test: {
          name: 'unit',
          env: SCRATCH,
          sequence: { groupOrder: 0 },
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
          env: SCRATCH,
          sequence: { groupOrder: 1 },
          include: ['tests/{integration,simulation}/**/*.test.ts'],
          exclude: CAMERA_SUITES,
          // Five times what the longest takes in a whole run on two cores: a power cut at every moment of a withdrawal, 33 s.
          testTimeout: 180_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'browser',
          sequence: { groupOrder: 1 },
          include: ['tests/browser/**/*.test.ts'],
          exclude: CAMERA_SUITES,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          expect: POLL,
        },
      },
      {
        test: {
          name: 'camera',
          sequence: { groupOrder: 2 },
          include: CAMERA_SUITES,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          expect: POLL,
          fileParallelism: false,
        },
      },
    ],
  },
});
