import { expect, it, test } from 'vitest';
import { type AttachedCamera, identify, isSame } from './identity.ts';

const C920: AttachedCamera = { name: 'HD Pro Webcam C920', model: '046d:082d', serial: 'A1B2', virtual: false };
const LABEL = 'HD Pro Webcam C920 (046d:082d)';

it('takes vendor, product and serial number together, where browser and kernel agree', () => {
  expect(identify(LABEL, [C920])).toEqual({
    identity: { label: LABEL, model: '046d:082d', serial: 'A1B2' },
    objection: null,
  });
  expect(identify('Integrated Camera', [{ ...C920, name: 'Integrated Camera', model: null, serial: null }])).toEqual({
    identity: { label: 'Integrated Camera', model: null, serial: null },
    objection: null,
  });
});

it('claims no serial number when two of the model are attached, and none where the kernel is not asked', () => {
  expect(identify(LABEL, [C920, { ...C920, serial: 'C3D4' }]).identity.serial).toBeNull();
  expect(identify(LABEL, null)).toEqual({
    identity: { label: LABEL, model: '046d:082d', serial: null },
    objection: null,
  });
});

test.each([
  'OBS Virtual Camera',
  'Dummy video device (0x0000)',
  'v4l2loopback',
  'ManyCam Virtual Webcam',
  'Snap Camera',
  'e2eSoft VCam',
  'DroidCam Source 3',
  'fake_device_0',
  'Fake device using fake capture',
  '/tmp/clip.mjpeg',
  'clip.y4m',
])('"%s" is a program, whatever the kernel says', (label) => {
  expect(identify(label, null).objection).toBe('virtual');
  expect(identify(label, [{ name: label, model: null, serial: null, virtual: false }]).objection).toBe('virtual');
});

test.each(['Logitech BRIO (046d:085e)', 'Integrated Webcam HD', 'FaceTime HD Camera', 'Camera Module v2'])(
  '"%s" is none by its name',
  (label) => expect(identify(label, null).objection).toBeNull(),
);

it('believes the kernel against a program under a real camera’s name, and misses a camera that the kernel does not have', () => {
  expect(
    identify('Integrated Camera', [{ ...C920, name: 'Integrated Camera', model: null, virtual: true }]).objection,
  ).toBe('virtual');
  expect(identify(LABEL, [{ ...C920, model: '1234:5678' }]).objection).toBe('not-attached');
  expect(identify(LABEL, []).objection).toBe('not-attached');
});

it('tells the same camera from another of its model by the serial number', () => {
  const pinned = identify(LABEL, [C920]).identity;
  expect(isSame(pinned, { ...pinned })).toBe(true);
  expect(isSame(pinned, { ...pinned, serial: 'C3D4' })).toBe(false);
  expect(isSame(pinned, { ...pinned, serial: null })).toBe(false);
  expect(isSame({ ...pinned, serial: null }, pinned)).toBe(true);
  expect(isSame(pinned, { ...pinned, label: 'Other (046d:082d)' })).toBe(false);
});
