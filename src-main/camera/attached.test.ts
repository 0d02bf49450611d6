import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { attachedCameras } from './attached.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'kaopass-sys-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const put = (path: string, text: string) => {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), `${text}\n`);
};
/** A node as the kernel makes it: its own folder under the device's, and a link to it in the class. */
function node(name: string, at: string, called: string, device: string | null) {
  put(`${at}/video4linux/${name}/name`, called);
  if (device !== null) symlinkSync(join(root, device), join(root, at, 'video4linux', name, 'device'));
  mkdirSync(join(root, 'sys/class/video4linux'), { recursive: true });
  symlinkSync(join(root, at, 'video4linux', name), join(root, 'sys/class/video4linux', name));
}

it('finds a USB camera once, with vendor, product and serial number, however many nodes it has', () => {
  const usb = 'sys/devices/pci0000:00/usb1/1-4';
  put(`${usb}/idVendor`, '046D');
  put(`${usb}/idProduct`, '082d');
  put(`${usb}/serial`, 'A1B2');
  const at = `${usb}/1-4:1.0`;
  node('video0', at, 'HD Pro Webcam C920', at);
  node('video1', at, 'HD Pro Webcam C920', at);
  expect(attachedCameras(root)).toEqual([
    { name: 'HD Pro Webcam C920', model: '046d:082d', serial: 'A1B2', virtual: false },
  ]);
});

it('knows a driver without hardware, whatever it calls itself', () => {
  node('video9', 'sys/devices/virtual', 'Integrated Camera', null);
  expect(attachedCameras(root)).toEqual([{ name: 'Integrated Camera', model: null, serial: null, virtual: true }]);
});

it('has nothing to say where there is no Video4Linux, and nothing attached where it is empty', () => {
  expect(attachedCameras(root)).toBeNull();
  mkdirSync(join(root, 'sys/class/video4linux'), { recursive: true });
  expect(attachedCameras(root)).toEqual([]);
});
