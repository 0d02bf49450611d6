/**
 * The udev rule a device needs on Linux. Three things, each of which a system refuses or does wrong by default:
 * - hidraw nodes belong to root: the group of the terminal's user gets them (hidapi, udev/69-hid.rules).
 * - A keypad's keys are also typed into whatever has the focus, for the kernel makes an input device of it beside hidraw.
 *   Since Linux 5.11 an input device can be inhibited: its events go nowhere, while hidraw still delivers the reports
 *   (kernel documentation, input-programming, "Inhibiting input devices").
 * - For older kernels libinput is told to ignore it (libinput documentation, "Ignoring specific devices"). That keeps keys from
 *   X and Wayland, not from a text console.
 */
import { usbId } from './bus.ts';

export interface UdevDevice {
  readonly vendorId: number;
  readonly productId: number;
  /** Whether the system makes a keyboard of it, as of keypads and of scanners in keyboard mode. */
  readonly typesKeys: boolean;
}

/** Before 73-seat-late.rules, after 60-input-id.rules, which sets what the third line asks for. */
export const UDEV_RULE_FILE = '/etc/udev/rules.d/70-kaopass-hid.rules';

/** @returns lines for {@link UDEV_RULE_FILE}. udev compares ids in lower case. */
export function udevRule(device: UdevDevice, group = 'kaopass'): string {
  if (!/^[a-z_][a-z0-9_-]{0,31}$/.test(group)) throw new RangeError(`"${group}" is no group name`);
  const vendor = usbId(device.vendorId);
  const product = usbId(device.productId);
  const lines = [
    `ACTION!="remove", KERNEL=="hidraw*", ATTRS{idVendor}=="${vendor}", ATTRS{idProduct}=="${product}", MODE="0660", GROUP="${group}"`,
  ];
  if (device.typesKeys) {
    lines.push(
      `ACTION!="remove", SUBSYSTEM=="input", KERNEL=="input[0-9]*", ATTR{id/vendor}=="${vendor}", ATTR{id/product}=="${product}", ATTR{inhibited}="1"`,
      `ACTION!="remove", KERNEL=="event[0-9]*", ENV{ID_VENDOR_ID}=="${vendor}", ENV{ID_MODEL_ID}=="${product}", ENV{LIBINPUT_IGNORE_DEVICE}="1"`,
    );
  }
  return `${lines.join('\n')}\n`;
}

/** What the technician does about it, with the rule. */
export function udevAdvice(device: UdevDevice): string {
  return `Put into ${UDEV_RULE_FILE}, reload udev and plug it in again:\n${udevRule(device).trimEnd()}`;
}
