import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, test } from 'vitest';
import { guardCamera, pinFile } from './guard.ts';
import type { AttachedCamera, CameraIdentity } from './identity.ts';

let folder: string;
let file: string;
let attached: readonly AttachedCamera[] | null;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kaopass-camera-'));
  file = join(folder, 'camera.json');
  attached = [OWN];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const OWN: AttachedCamera = { name: 'Cam', model: '046d:082d', serial: 'A1', virtual: false };
const OTHER: AttachedCamera = { ...OWN, serial: 'B2' };
const LABEL = 'Cam (046d:082d)';

const guard = (demonstration = false) => {
  const told: string[] = [];
  const made = guardCamera({
    store: pinFile(file),
    demonstration,
    attached: () => attached,
    log: { info: () => {}, error: (_, message) => void told.push(message) },
  });
  made.onChange(() => told.push('changed'));
  return { made, told };
};
const running = (label = LABEL) => ({ state: 'running', detail: label });

it('pins the first camera it sees, for good, in a file of its owner’s', () => {
  const { made } = guard();
  made.reported(running());
  expect(made.reason()).toBeNull();
  expect(guard().made.pinned).toEqual({ label: LABEL, model: '046d:082d', serial: 'A1' } satisfies CameraIdentity);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

it('goes out of service with another camera, says which is which, and serves again with the old one', () => {
  guard().made.reported(running());
  const { made, told } = guard();
  attached = [OTHER];
  made.reported(running());
  expect(made.reason()).toBe('camera');
  expect(made.words()[0]?.en).toMatch(
    /pinned is "Cam \(046d:082d\)", serial number A1, opened was .* serial number B2/,
  );
  expect(told).toHaveLength(2);
  attached = [OWN];
  made.reported(running());
  expect(made.reason()).toBeNull();
  expect(made.words()).toEqual([]);
});

it('serves with a new camera once a technician has pinned it', () => {
  guard().made.reported(running());
  const { made } = guard();
  attached = [OTHER];
  made.reported(running());
  expect(made.pin().serial).toBe('B2');
  expect(made.reason()).toBeNull();
  expect(guard().made.pinned?.serial).toBe('B2');
});

test.each([
  ['a program', 'OBS Virtual Camera', /is a program/],
  ['a camera the kernel does not have', 'Cam (1234:5678)', /kernel has no camera/],
])('%s is never pinned, not even the first time or by a technician', (_what, label, why) => {
  const { made } = guard();
  made.reported(running(label));
  expect(made.reason()).toBe('camera');
  expect(made.pinned).toBeNull();
  expect(() => made.pin()).toThrowError(why);
});

it('holds a demonstration to nothing, and pins nothing there', () => {
  const { made } = guard(true);
  made.reported(running('fake_device_0'));
  expect(made.reason()).toBeNull();
  expect(made.pinned).toBeNull();
});

it('serves by a camera that a full disk does not let it pin, and pins it at the next opening', () => {
  let full = true;
  let kept: CameraIdentity | null = null;
  const told: string[] = [];
  const made = guardCamera({
    store: {
      read: () => null,
      write: (identity) => {
        if (full) throw new Error('ENOSPC');
        kept = identity;
      },
    },
    demonstration: false,
    attached: () => attached,
    log: { info: () => {}, error: (_, message) => void told.push(message) },
  });
  made.reported(running());
  expect([made.reason(), made.pinned, told]).toEqual([null, null, ['the camera could not be pinned']]);
  full = false;
  made.reported(running());
  expect(kept).toEqual(made.pinned);
  expect(made.pinned?.serial).toBe('A1');
});

it('pins nothing that was not opened, and takes no file for a pin that is none', () => {
  expect(() => guard().made.pin()).toThrowError(/test the camera first/);
  writeFileSync(file, '{"label": 7}');
  expect(() => guard()).toThrowError(/camera\.json: this is no pinned camera/);
});
