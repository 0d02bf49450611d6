/** What a technician wants to know of every HID device that is plugged in: `kaopass devices`. */
import { type HidBus, type HidInfo, type HidInspection, usbId } from './bus.ts';
import { type HidKind, kindOf } from './kinds.ts';
import { udevRule } from './udev.ts';

export interface HidDescription {
  readonly info: HidInfo;
  readonly kind: HidKind;
  readonly access: HidInspection['access'];
  readonly exclusive: HidInspection['exclusive'];
  /** What is wrong, one sentence; null when nothing is. */
  readonly problem: string | null;
  /** What to put into UDEV_RULE_FILE; null where no rule is missing. */
  readonly rule: string | null;
  /** The configuration that names this device and no other that is plugged in. */
  readonly selector: {
    readonly vendorId: string;
    readonly productId: string;
    readonly serialNumber?: string;
    readonly port?: string;
  };
}

/** Every device on the bus, without opening any. Rejects when the bus cannot be read. */
export async function describeHidDevices(bus: HidBus): Promise<HidDescription[]> {
  const all = await bus.list();
  return await Promise.all(
    all.map(async (info) => {
      const { access, exclusive } = await bus.inspect(info.path);
      const kind = kindOf(info);
      const denied = access === 'denied';
      const shared = kind === 'keyboard' && exclusive === 'no';
      const problem = denied
        ? 'this user may not open it'
        : shared
          ? 'the system also types its keys into the focused window'
          : null;
      return {
        info,
        kind,
        access,
        exclusive,
        problem,
        rule: problem === null ? null : udevRule({ ...info, typesKeys: kind === 'keyboard' }),
        selector: selectorOf(info, all),
      };
    }),
  );
}

function selectorOf(info: HidInfo, all: readonly HidInfo[]): HidDescription['selector'] {
  const ids = { vendorId: usbId(info.vendorId), productId: usbId(info.productId) };
  const twins = all.filter(
    (other) =>
      other.path !== info.path &&
      other.vendorId === info.vendorId &&
      other.productId === info.productId &&
      kindOf(other) === kindOf(info),
  );
  if (twins.length === 0) return ids;
  const { serialNumber, port } = info;
  if (serialNumber !== null && twins.every((twin) => twin.serialNumber !== serialNumber))
    return { ...ids, serialNumber };
  return port === null ? ids : { ...ids, port };
}
