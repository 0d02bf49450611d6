/**
 * The cameras that the kernel has (Linux: Video4Linux and sysfs, Documentation/ABI/testing/sysfs-bus-usb). What a program feeds through
 * v4l2loopback, vivid or another driver without hardware lies under /sys/devices/virtual, whatever it calls itself.
 */
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { AttachedCamera } from './identity.ts';

const CLASS = '/sys/class/video4linux';
/** More than a machine has. */
const NODES_MAX = 64;
/** From a video node up to its USB device: interface, device. */
const LEVELS_MAX = 4;

/** Null where the kernel cannot be asked in this way. One entry a device, however many nodes it has. */
export function attachedCameras(root = '/'): readonly AttachedCamera[] | null {
  const folder = join(root, CLASS);
  if (!existsSync(folder)) return null;
  const cameras = new Map<string, AttachedCamera>();
  for (const node of readdirSync(folder).slice(0, NODES_MAX)) {
    const name = line(join(folder, node, 'name'));
    const real = realPath(join(folder, node));
    if (name === null || real === null) continue;
    const device = usbDevice(realPath(join(folder, node, 'device')));
    const virtual = real.startsWith(join(realPath(root) ?? root, 'sys/devices/virtual/'));
    cameras.set(device?.path ?? real, {
      name,
      model: device && `${device.vendor}:${device.product}`,
      serial: device?.serial ?? null,
      virtual,
    });
  }
  return [...cameras.values()];
}

function usbDevice(path: string | null) {
  for (let level = 0, at = path; at !== null && level < LEVELS_MAX; level++, at = realPath(join(at, '..'))) {
    const vendor = line(join(at, 'idVendor'));
    const product = line(join(at, 'idProduct'));
    if (vendor !== null && product !== null) {
      return {
        path: at,
        vendor: vendor.toLowerCase(),
        product: product.toLowerCase(),
        serial: line(join(at, 'serial')),
      };
    }
  }
  return null;
}

/** One line of a file of the kernel's; null when it is not there or empty: a device may be pulled while it is read. */
function line(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim().slice(0, 200) || null;
  } catch {
    return null;
  }
}

function realPath(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}
