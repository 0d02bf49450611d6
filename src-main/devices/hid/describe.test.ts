import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { KEYPAD, ScriptedHidBus } from '../../../tests/support/hid-bus.ts';
import { POS_SCANNER, relayBoard } from '../../../tests/support/hid-hands.ts';
import { HidConfig, HidSelector } from './config.ts';
import { describeHidDevices } from './describe.ts';
import { UDEV_RULE_FILE, udevRule } from './udev.ts';

describe('the list of HID devices', () => {
  it('tells of each what it is, and opens none', async () => {
    const bus = new ScriptedHidBus();
    const { info: relay } = relayBoard(4);
    const other = { ...relay, path: '/dev/hidraw8', product: 'Somebody’s V-USB' };
    for (const info of [KEYPAD, POS_SCANNER, relay, other]) bus.plug(info);
    const list = await describeHidDevices(bus);
    expect(list.map(({ info, kind }) => [info.path, kind])).toEqual([
      [KEYPAD.path, 'keyboard'],
      [POS_SCANNER.path, 'barcodeScanner'],
      [relay.path, 'relay'],
      [other.path, 'other'],
    ]);
    expect(list[0]).toEqual({
      info: KEYPAD,
      kind: 'keyboard',
      access: 'granted',
      exclusive: 'yes',
      problem: null,
      rule: null,
      selector: { vendorId: '04d9', productId: 'a070' },
    });
    expect([KEYPAD, POS_SCANNER, relay].some(({ path }) => bus.isOpen(path))).toBe(false);
  });

  it('tells the rule of what may not be opened, and of a keypad that types elsewhere', async () => {
    const bus = new ScriptedHidBus();
    bus.plug(KEYPAD, { inspection: { exclusive: 'no' } });
    bus.plug(POS_SCANNER, { inspection: { access: 'denied' } });
    const [keypad, scanner] = await describeHidDevices(bus);
    expect(keypad).toMatchObject({
      problem: 'the system also types its keys into the focused window',
      rule: udevRule({ ...KEYPAD, typesKeys: true }),
    });
    expect(scanner).toMatchObject({
      problem: 'this user may not open it',
      rule: udevRule({ ...POS_SCANNER, typesKeys: false }),
    });
  });

  it('tells how to name one of two in the configuration', async () => {
    const bus = new ScriptedHidBus();
    bus.plug(KEYPAD);
    bus.plug({ ...KEYPAD, path: '/dev/hidraw1', port: 'usb-0000:00:14.0-2/input0' });
    bus.plug({ ...KEYPAD, path: '/dev/hidraw2', port: null, serialNumber: 'A1' });
    const selectors = (await describeHidDevices(bus)).map(({ selector }) => selector);
    const ids = { vendorId: '04d9', productId: 'a070' };
    expect(selectors).toEqual([
      { ...ids, port: 'usb-0000:00:14.0-1/input0' },
      { ...ids, port: 'usb-0000:00:14.0-2/input0' },
      { ...ids, serialNumber: 'A1' },
    ]);
    for (const selector of selectors) expect(HidSelector.safeParse(selector).success).toBe(true);
  });
});

describe('docs/hid.md', () => {
  const page = readFileSync(new URL('../../../docs/hid.md', import.meta.url), 'utf8');

  it('shows a configuration that is one', () => {
    const example = /```json\n(.*?)```/s.exec(page)?.[1] ?? '';
    expect(HidConfig.parse(JSON.parse(example))).toMatchObject({
      pinPad: { keys: { '0x56': 'cancel' } },
      barcodeScanners: [{ mode: 'pos' }, { mode: 'keyboard', layout: 'jp' }],
      lights: { flashing: true },
    });
  });

  it('shows the udev rule as it is made here', () => {
    expect(page).toContain(udevRule({ vendorId: 0x04d9, productId: 0xa070, typesKeys: true }));
    expect(page).toContain(UDEV_RULE_FILE);
  });
});

describe('a udev rule', () => {
  it('gives the device to the group of the terminal, in lower case as udev compares', () => {
    expect(udevRule({ vendorId: 0x0c2e, productId: 0x0b6a, typesKeys: false })).toBe(
      'ACTION!="remove", KERNEL=="hidraw*", ATTRS{idVendor}=="0c2e", ATTRS{idProduct}=="0b6a", MODE="0660", GROUP="kaopass"\n',
    );
  });

  it('keeps the keys of a keypad out of the system', () => {
    const lines = udevRule({ vendorId: 0x04d9, productId: 0xa070, typesKeys: true }, 'kiosk').split('\n');
    expect(lines).toHaveLength(4);
    expect(lines[0]).toContain('GROUP="kiosk"');
    expect(lines[1]).toContain('ATTR{id/vendor}=="04d9", ATTR{id/product}=="a070", ATTR{inhibited}="1"');
    expect(lines[2]).toContain('ENV{LIBINPUT_IGNORE_DEVICE}="1"');
  });

  it('takes no group that would end its line', () => {
    expect(() => udevRule({ vendorId: 1, productId: 2, typesKeys: false }, 'a", RUN+="/bin/sh')).toThrow(
      'is no group name',
    );
  });
});
