/**
 * The demonstration, as `npm run demo` plays it: a bank, an ATM and a checkout, their devices, each as a process of its own. Here
 * the devices speak XFS4IoT with every switch of the dialect flipped; tests/browser/terminal.suite.ts has the standard's reading.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { demonstrate } from '../../scripts/demo/demonstration.ts';
import { STEPS } from '../../scripts/demo/steps.ts';

const dir = mkdtempSync(join(tmpdir(), 'kaopass-demonstration-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

it('from a bare machine to reconciled books: every step does what it should', { timeout: 300_000 }, async () => {
  const said: string[] = [];
  const result = await demonstrate({ dir, say: (line) => said.push(line), dialect: ['flipped'] });
  const failed = result.steps.filter((step) => !step.ok);
  // Shows expected and actual facts of what failed.
  expect(failed.map(({ name, actual }) => ({ name, ...actual }))).toEqual(
    failed.map(({ name, expected }) => ({ name, ...expected })),
  );
  expect(result.steps.map(({ name }) => name)).toEqual(STEPS.map(({ name }) => name));
  expect(result.ok).toBe(true);
  expect(result.results).toMatchObject({ accepted: result.results.sent, chainVerified: true });
  expect(result.results.sent).toBeGreaterThanOrEqual(10);
  expect(result.cash).toMatchObject({ conservation: { holds: true } });
  expect(result.screenshots.length).toBeGreaterThan(20);
  expect(result.screenshots.filter((file) => !existsSync(file))).toEqual([]);
  expect(said.filter((line) => line.includes('FAILED'))).toEqual([]);
});
