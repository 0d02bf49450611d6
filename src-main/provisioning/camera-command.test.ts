import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { dataPlaces } from '../places.ts';
import { runCamera } from './camera-command.ts';
import { announceTerminal } from './running-terminal.ts';

let dir: string;
let said: string;
let asked: string[];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kaopass-camera-command-'));
  said = '';
  asked = [];
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const run = async (args: readonly string[], answer: { status: number; body: object } = { status: 200, body: {} }) =>
  await runCamera(args, {
    fetch: async (url) => {
      asked.push(new URL(url).pathname);
      return new Response(JSON.stringify(answer.body), { status: answer.status });
    },
    out: (text) => {
      said += text;
    },
    signal: new AbortController().signal,
    attached: () => [{ name: 'Cam', model: '046d:082d', serial: 'A1', virtual: false }],
  });
const pinned = () =>
  writeFileSync(dataPlaces(dir).camera, JSON.stringify({ label: 'Cam (046d:082d)', model: '046d:082d', serial: 'A1' }));

it('shows what is pinned and what the kernel has', async () => {
  await run(['--data', dir]);
  expect(said).toBe(
    'pinned    none: the first camera that is opened will be\nattached  "Cam" (046d:082d) serial number A1\n',
  );
  pinned();
  said = '';
  await run(['show', '--data', dir]);
  expect(said).toContain('pinned    "Cam (046d:082d)", serial number A1\n');
});

it('has the running terminal pin, and says what it says', async () => {
  await expect(run(['pin', '--data', dir])).rejects.toThrowError(/has to run/);
  announceTerminal(dataPlaces(dir).servicePage, { origin: 'http://127.0.0.1:1', token: 'x'.repeat(20) });
  await run(['pin', '--data', dir], { status: 200, body: { ok: true, pinned: '"Cam"' } });
  expect([asked, said]).toEqual([['/camera-pin'], 'Pinned: "Cam".\n']);
  await expect(
    run(['pin', '--data', dir], { status: 409, body: { ok: false, message: 'no camera was opened' } }),
  ).rejects.toThrowError('the running terminal says: no camera was opened');
});

it('forgets, so that the next camera is pinned', async () => {
  pinned();
  await run(['forget', '--data', dir]);
  expect(existsSync(dataPlaces(dir).camera)).toBe(false);
});

it('does not understand what it does not know', async () => {
  await expect(run(['open', '--data', dir])).rejects.toThrowError('there is no command "camera open"');
  await expect(run(['pin'])).rejects.toThrowError('--data is needed');
});
