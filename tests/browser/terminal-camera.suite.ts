/**
 * The real terminal process with a camera of the machine: getUserMedia in a real Chromium, whose camera is an MJPEG file of
 * stills of one man, one after the other. From the browser's own frames to a signed decision at the bank.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DemoBank } from '../../scripts/demo/bank.ts';
import { ROOT } from '../../scripts/demo/processes.ts';
import { checkoutInstallation } from '../../src-main/places.ts';
import { GOOD_FRAMES_MIN } from '../../src-main/session/gather.ts';
import { en } from '../../src-renderer/i18n/en.ts';
import { ja } from '../../src-renderer/i18n/ja.ts';
import { writeMjpegCamera } from '../contract/mjpeg-camera.ts';
import { layEmptyBank } from '../support/bank-database.ts';
import { TerminalUnderTest } from './terminal-hands.ts';

const dir = mkdtempSync(join(tmpdir(), 'kaopass-camera-'));
const bank = new DemoBank(join(dir, 'bank'), join(dir, 'bank.log'));
const log = join(dir, 'atm.log');
const atm = new TerminalUnderTest({
  dataDir: join(dir, 'atm'),
  name: 'ATM 1',
  profile: 'atm',
  log,
  shots: { dir, files: [] },
  speed: 4,
});

beforeAll(async () => {
  const camera = join(dir, 'camera.mjpeg');
  await layEmptyBank(join(dir, 'bank'));
  await Promise.all([writeMjpegCamera(camera, checkoutInstallation(ROOT).footageDir ?? ''), bank.start()]);
  expect(await atm.provision(bank, await bank.activationCode('atm'))).toMatchObject({ code: 0 });
  atm.configure({
    // Chromium's fake camera is a program, which no terminal but a demonstration looks through.
    demonstration: true,
    camera: { kind: 'device', label: null },
    screen: { headless: true, remoteDebugging: true, fakeCamera: camera },
  });
  await atm.start();
});
afterAll(async () => {
  await atm.stop();
  await bank.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** What the camera page reported, as the technician's log has it. */
function cameraReports(): { state: string; detail: string }[] {
  return readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => line.includes('"msg":"camera"'))
    .map((line) => JSON.parse(line) as { state: string; detail: string });
}

describe.each([
  { language: 'English', visit: 1, texts: en.sorry.texts },
  { language: '日本語', visit: 2, texts: ja.sorry.texts },
] as const)('in $language', ({ language, visit, texts }) => {
  it('the camera runs only while somebody is looked at, and its frames are real ones', async () => {
    const before = cameraReports().length;
    await atm.begins('withdraw', language);
    await atm.sees('amount');
    expect(cameraReports().length).toBe(before);
    await atm.touches('choose-amount', { words: '5,000' });
    await atm.sees('look');
    await atm.page.waitForFunction(
      () => document.querySelector<HTMLVideoElement>('video.camera-preview')?.videoWidth === 640,
    );
    await atm.sees('sorry');
    const reports = () => cameraReports().slice(before);
    await expect.poll(() => reports().map(({ state }) => state)).toEqual(['running', 'stopped']);
    expect(reports()[0]?.detail).toContain('camera.mjpeg');
  });

  it('whose face nobody registered is refused, with a decision that is signed, chained and at the bank', async () => {
    expect(await atm.violations()).toEqual([]);
    await expect.poll(async () => (await bank.results(atm.terminalId)).length, { timeout: 15_000 }).toBe(visit);
    const result = (await bank.results(atm.terminalId)).at(-1);
    expect(result).toMatchObject({
      sequence: visit,
      service: 'withdraw',
      outcome: 'refused',
      mode: 'online',
    });
    // Stills that follow each other this fast are told from a man who moves when one of them comes again often enough, or when few
    // others come between, which depends on how many frames this machine looks at. Known they are to nobody.
    const told = result?.liveness.cues.some((cue) => cue === 'repeated-feed' || cue === 'flat-motion');
    expect(result).toMatchObject(
      told
        ? { reason: 'presentation-attack', liveness: { decision: 'attack' } }
        : { reason: 'nobody', liveness: { decision: 'live', cues: [] } },
    );
    expect(await atm.words()).toContain(texts[told ? 'presentation-attack' : 'nobody'].title);
    expect(result?.liveness.frames).toBeGreaterThanOrEqual(GOOD_FRAMES_MIN);
    expect(result?.liveness.passive).toBeGreaterThan(0.5);
    expect(await bank.chain(atm.terminalId)).toMatchObject({ results: visit, verified: true });
    expect(await bank.incidents()).toEqual([]);
  });

  it('no money moved, and none is held', async () => {
    const { cash } = await atm.devices();
    expect(cash?.conservation).toMatchObject({ holds: true, takenMinor: 0, inReachMinor: 0 });
    expect(
      (await bank.accounts()).filter(({ ledgerMinor, heldMinor }) => ledgerMinor !== 0 || heldMinor !== 0),
    ).toEqual([]);
    expect(atm.lastState('withdraw')).toBeUndefined();
    await atm.touches('cancel');
    await atm.sees('attract');
  });
});
