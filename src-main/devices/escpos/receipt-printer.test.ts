/** How the driver conducts itself with a printer that fails, on virtual time. */
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../tests/contract/devices/virtual-clock.ts';
import { patient } from '../../../tests/contract/devices/vocabulary.ts';
import type { DeviceHealth } from '../device.ts';
import { type DrawerSettings, EscPosDrawer } from './cash-drawer.ts';
import { LineError, type LineEvents, type PrinterLine } from './line.ts';
import { EscPosPrinter } from './receipt-printer.ts';
import { memoryLine } from './virtual/memory-line.ts';
import { VirtualPrinter, type VirtualPrinterOptions, type VirtualReceipt } from './virtual/printer.ts';

const hello = new TextEncoder().encode('\x1b@Kaopass\n\n\n\x1dV\x01');
const longer = new TextEncoder().encode(`\x1b@${'A line of a long receipt\n'.repeat(200)}\x1dV\x01`);

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

function connect(
  options: Partial<VirtualPrinterOptions> = {},
  line?: (printer: VirtualPrinter, clock: VirtualClock) => PrinterLine,
) {
  const clock = new VirtualClock();
  const receipts: VirtualReceipt[] = [];
  const hardware = new VirtualPrinter({ clock, onReceipt: (receipt) => receipts.push(receipt), ...options });
  const logged: string[] = [];
  const printer = new EscPosPrinter({
    line: line?.(hardware, clock) ?? memoryLine(hardware),
    form: { text: 'codepage', widthDots: 576 },
    clock,
    log: (message) => logged.push(message),
  });
  const health: DeviceHealth[] = [];
  printer.onHealth((one) => health.push(one));
  closing.push(async () => {
    await printer.close();
    hardware.close();
  });
  const text = () =>
    receipts.map(({ sheet }) => sheet.marks.map((mark) => (mark.kind === 'letter' ? mark.character : '')).join(''));
  return { clock, hardware, printer, receipts, text, health, logged, waitMs: (ms: number) => clock.sleep(ms, patient) };
}

describe('a receipt', () => {
  it.each([
    ['by GS ( H, from a maker known for it', { maker: 'EPSON' }],
    ['by GS r, from any other', { maker: 'Cheap & Co', processId: false }],
  ])('is printed when the printer confirms it %s', async (_, options) => {
    const { printer, text } = connect(options);
    expect(await printer.print(hello, patient)).toEqual({ outcome: 'printed' });
    expect(text()).toEqual(['Kaopass']);
  });

  it('is not printed as long as the paper still moves', async () => {
    const { clock, printer, receipts } = connect({ dotsPerSecond: 1_600 });
    await printer.print(longer, patient);
    expect(receipts).toHaveLength(1);
    // 200 lines of 30 dots take 3.75 s.
    expect(clock.monotonicMs()).toBeGreaterThan(3_700);
  });

  it('is not begun when there is no paper, and nothing is sent', async () => {
    const { hardware, printer, receipts, health, waitMs } = connect();
    await printer.tried();
    hardware.setPaper(0);
    expect(await printer.print(hello, patient)).toEqual({
      outcome: 'failed',
      error: 'paperOut',
      message: 'out of paper; nothing was sent',
    });
    expect(health.at(-1)).toEqual({ state: 'hardwareError', problem: 'out of paper' });
    hardware.setPaper();
    await waitMs(10);
    expect(receipts).toEqual([]);
    expect(printer.health()).toEqual({ state: 'online', problem: null });
  });

  it('fails when paper runs out in the middle, and never comes out when somebody puts in a roll', async () => {
    const { hardware, printer, text, waitMs } = connect({ dotsPerSecond: 1_600 });
    hardware.setPaper(600);
    const completion = await printer.print(longer, patient);
    expect(completion).toMatchObject({ outcome: 'failed', error: 'paperOut' });
    expect(completion).toHaveProperty('message', expect.stringMatching(/after all 5\d{3} bytes; the rest was cleared/));
    hardware.setPaper();
    await waitMs(20_000);
    expect(text()).toEqual([]);
    // What stands on the paper is cut off before the next customer's receipt.
    expect(await printer.print(hello, patient)).toEqual({ outcome: 'printed' });
    expect(text()).toEqual([expect.stringMatching(/^(A line of a long receipt)+$/), 'Kaopass']);
  });

  it.each<[string, (hardware: VirtualPrinter) => void, string, string]>([
    ['the cutter is stuck', (hardware) => hardware.jamCutter(), 'hardwareError', 'cutter is stuck'],
    ['the cover is opened', (hardware) => hardware.setCover(true), 'hardwareError', 'cover is open'],
    ['the printer breaks', (hardware) => hardware.setBroken(true), 'hardwareError', 'only repair clears'],
  ])('fails when %s while it is printed', async (_, happen, error, message) => {
    const { hardware, printer, waitMs } = connect({ dotsPerSecond: 1_600 });
    const printing = printer.print(longer, patient);
    await waitMs(1_000);
    happen(hardware);
    expect(await printing).toMatchObject({ outcome: 'failed', error, message: expect.stringContaining(message) });
  });

  it('fails for a cover that was opened and shut at once, and says so', async () => {
    const { hardware, printer, waitMs } = connect({ dotsPerSecond: 1_600 });
    const printing = printer.print(longer, patient);
    await waitMs(1_000);
    hardware.setCover(true);
    hardware.setCover(false);
    expect(await printing).toMatchObject({ outcome: 'failed', message: expect.stringContaining('cover is open') });
  });

  it('waits for a head that cools down by itself and a hand that leaves the feed button', async () => {
    const { hardware, printer, waitMs, text } = connect({ dotsPerSecond: 1_600 });
    const printing = printer.print(longer, patient);
    await waitMs(1_000);
    hardware.setTooHot(true);
    await waitMs(8_000);
    hardware.setTooHot(false);
    hardware.setFeeding(true);
    await waitMs(2_000);
    hardware.setFeeding(false);
    expect(await printing).toEqual({ outcome: 'printed' });
    expect(text()).toHaveLength(1);
  });

  it.each<[string, number, { outcome: string; error?: string }]>([
    ['is printed once', 9_000, { outcome: 'printed' }],
    ['is not called printed as long as it does not', 600_000, { outcome: 'failed', error: 'hardwareError' }],
  ])('sent to a printer that was too hot from the start %s when it cools down', async (_, coolAfterMs, completion) => {
    const { clock, hardware, printer, text } = connect();
    hardware.setTooHot(true);
    clock.after(coolAfterMs, () => hardware.setTooHot(false));
    expect(await printer.print(hello, patient)).toMatchObject(completion);
    expect(text().length).toBe(completion.outcome === 'printed' ? 1 : 0);
  });

  it('fails, and is never sent again, when the printer is switched off in the middle', async () => {
    const { hardware, printer, text, health, waitMs } = connect();
    await printer.tried();
    hardware.breakAfterBytes(1_000, 'power');
    expect(await printer.print(longer, patient)).toMatchObject({
      outcome: 'failed',
      error: 'noDevice',
      message: expect.stringContaining('may be incomplete or still come out'),
    });
    await waitMs(60_000);
    expect(health.map(({ state }) => state)).toContain('offline');
    expect(printer.health().state).toBe('online');
    expect(text()).toEqual([]);
  });

  it('whose rest is missing does not swallow the next one as its own dots', async () => {
    const { hardware, printer, text, logged } = connect();
    await printer.tried();
    // GS v 0 promises 72 × 200 bytes; the cable is pulled after a thousand.
    const raster = Uint8Array.from([0x1b, 0x40, 0x1d, 0x76, 0x30, 0, 72, 0, 200, 0, ...new Uint8Array(14_400)]);
    hardware.breakAfterBytes(1_000, 'wire');
    expect((await printer.print(raster, patient)).outcome).toBe('failed');
    expect(await printer.print(hello, patient)).toEqual({ outcome: 'printed' });
    expect(text().at(-1)).toBe('Kaopass');
    expect(logged).not.toContain('a receipt was sent and not confirmed; the printer is in order');
  });

  it('fails within a minute or so when the network swallows everything in the middle', async () => {
    const { clock, hardware, printer, waitMs } = connect({ dotsPerSecond: 1_600 });
    const printing = printer.print(longer, patient);
    await waitMs(1_000);
    hardware.silent = true;
    expect(await printing).toMatchObject({ outcome: 'failed' });
    expect(clock.monotonicMs()).toBeLessThan(90_000);
  });

  it('is refused when the printer fell silent before, and nothing is sent', async () => {
    const { hardware, printer } = connect();
    await printer.print(hello, patient);
    hardware.silent = true;
    expect(await printer.print(hello, patient)).toMatchObject({
      outcome: 'failed',
      error: 'noDevice',
      message: expect.stringContaining('nothing was sent'),
    });
  });

  it('is not confirmed by a word about another one', async () => {
    const { printer } = connect({}, (hardware) => {
      const line = memoryLine(hardware);
      return {
        label: line.label,
        open: (events, signal) =>
          line.open(
            {
              ...events,
              data: (bytes) => events.data(bytes[1] === 0x22 ? Uint8Array.from(Buffer.from('7"OLD1\0')) : bytes),
            },
            signal,
          ),
      };
    });
    expect(await printer.print(hello, patient)).toMatchObject({
      outcome: 'failed',
      message: expect.stringContaining('does not confirm'),
    });
  });

  it('is judged by the printer’s condition when it confirms nothing but answers DLE EOT', async () => {
    const { printer, logged } = connect({}, (hardware) => onlyRealTime(memoryLine(hardware)));
    expect(await printer.print(hello, patient)).toEqual({ outcome: 'printed' });
    expect(logged).toContain('a receipt was sent and not confirmed; the printer is in order');
  });

  it('is never called printed by a printer that answers nothing', async () => {
    const { hardware, printer } = connect();
    hardware.silent = true;
    expect(await printer.print(hello, patient)).toMatchObject({
      outcome: 'failed',
      error: 'hardwareError',
      message: expect.stringContaining('answers nothing'),
    });
    expect(printer.health()).toMatchObject({ state: 'offline', problem: expect.stringContaining('answers nothing') });
  });

  it('is never called printed by a line that answers garbage, and the baud rate is suspected', async () => {
    const { hardware, printer } = connect();
    hardware.garbage = true;
    expect((await printer.print(hello, patient)).outcome).toBe('failed');
    expect(printer.health().problem).toContain('baud rate');
  });

  it('goes on printing when whoever waited for it has left', async () => {
    const { printer, text, waitMs } = connect({ dotsPerSecond: 1_600 });
    const leaving = new AbortController();
    const printing = printer.print(longer, leaving.signal);
    await waitMs(1_000);
    leaving.abort('left');
    await expect(printing).rejects.toBe('left');
    expect(await printer.print(hello, patient)).toEqual({ outcome: 'printed' });
    expect(text().at(-1)).toBe('Kaopass');
    expect(text()).toHaveLength(2);
  });

  it('waits in a queue that has an end', async () => {
    const { printer } = connect({ dotsPerSecond: 1_600 });
    const prints = Array.from({ length: 12 }, () => printer.print(hello, patient));
    const outcomes = await Promise.allSettled(prints);
    expect(outcomes.filter(({ status }) => status === 'rejected').length).toBeGreaterThan(0);
    expect(outcomes[0]).toMatchObject({ status: 'fulfilled', value: { outcome: 'printed' } });
  });

  it('of a megabyte is none', async () => {
    const { printer } = connect();
    expect(await printer.print(new Uint8Array(1_000_001), patient)).toMatchObject({ outcome: 'failed' });
  });

  it('meets a small buffer with patience', async () => {
    const { printer, text } = connect({ bufferBytes: 512, dotsPerSecond: 1_600 });
    expect(await printer.print(longer, patient)).toEqual({ outcome: 'printed' });
    expect(text()).toHaveLength(1);
  });
});

describe('a printer out of its mind', () => {
  it('never brings the driver down, and every print comes to its end', async () => {
    const answer = fc.record({
      /** Bytes it says after a write; null hangs up. */
      bytes: fc.option(fc.uint8Array({ maxLength: 12 }), { freq: 8 }),
      afterMs: fc.integer({ min: 0, max: 3_000 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(answer, { minLength: 1, maxLength: 30 }), async (answers) => {
        const { clock, printer, waitMs } = connect({}, (_, time) => {
          let next = 0;
          return {
            label: 'a mad printer',
            open: async (events) => ({
              write: async () => {
                const said = answers[next++ % answers.length]!;
                time.after(said.afterMs, () =>
                  said.bytes ? events.data(said.bytes) : events.closed(new LineError('gone', 'it hung up')),
                );
              },
              close: async () => undefined,
            }),
          };
        });
        const completion = await printer.print(hello, patient);
        expect(['printed', 'failed']).toContain(completion.outcome);
        expect(clock.monotonicMs()).toBeLessThan(120_000);
        await waitMs(20_000);
        expect(['online', 'offline', 'hardwareError', 'userError']).toContain(printer.health().state);
        await printer.close();
      }),
      { numRuns: 100 },
    );
  });
});

describe('health', () => {
  it('tells paper, cover, cutter and recovery as they happen, without asking', async () => {
    const { hardware, printer, health, waitMs } = connect();
    await printer.tried();
    hardware.setPaper(4_000);
    hardware.setCover(true);
    hardware.setCover(false);
    await waitMs(10);
    expect(health.map(({ state, problem }) => problem ?? state)).toEqual([
      'online',
      'paper is running low',
      "the printer's cover is open",
      'paper is running low',
    ]);
  });

  it('says why it can’t connect, tries again more and more seldom, and connects when the printer is there', async () => {
    const tries: number[] = [];
    const { printer, waitMs } = connect({}, (hardware, clock) => ({
      label: 'a cable',
      open: (events: LineEvents, signal: AbortSignal) => {
        tries.push(Math.round(clock.monotonicMs()));
        if (tries.length < 8) throw new LineError('absent', 'there is no printer at a cable');
        return memoryLine(hardware).open(events, signal);
      },
    }));
    await printer.tried();
    expect(printer.health()).toEqual({ state: 'noDevice', problem: 'there is no printer at a cable' });
    await waitMs(70_000);
    expect(tries.map((at, index) => at - (tries[index - 1] ?? 0))).toEqual([
      0, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000,
    ]);
    expect(printer.health().state).toBe('online');
  });

  it('tries at once when somebody wants to print', async () => {
    const { hardware, printer, waitMs } = connect();
    await printer.tried();
    hardware.powerCycle();
    await waitMs(1);
    expect(await printer.print(hello, patient)).toEqual({ outcome: 'printed' });
  });

  it('finds a line that died without a word, and makes a new one', async () => {
    const { hardware, printer, health, waitMs } = connect();
    await printer.tried();
    hardware.silent = true;
    await waitMs(15_000);
    expect(health.at(-1)).toMatchObject({ state: 'offline' });
    hardware.silent = false;
    await waitMs(40_000);
    expect(printer.health()).toEqual({ state: 'online', problem: null });
  });

  it('is pushed again by a printer that was switched off and on behind a line that did not notice', async () => {
    const { hardware, printer, waitMs } = connect();
    await printer.tried();
    hardware.forget();
    await waitMs(6_000);
    hardware.setCover(true);
    await waitMs(1);
    expect(printer.health().state).toBe('userError');
  });

  it('rejects a question to a printer that is gone', async () => {
    const { printer } = connect({}, () => ({
      label: 'nothing',
      open: () => Promise.reject(new LineError('absent', 'nothing there')),
    }));
    await expect(printer.status(patient)).rejects.toMatchObject({
      code: 'DEVICE_UNAVAILABLE',
      message: 'nothing there',
    });
    expect(await printer.print(hello, patient)).toEqual({
      outcome: 'failed',
      error: 'noDevice',
      message: 'nothing there',
    });
  });
});

describe('cash drawer', () => {
  const sensed: DrawerSettings = { pin: 2, openLevel: 'low', pulseMs: 100 };
  function withDrawer(settings = sensed, options: Partial<VirtualPrinterOptions> = {}) {
    const rig = connect(options);
    return { ...rig, drawer: new EscPosDrawer(rig.printer, settings, rig.clock) };
  }

  it('opens by one pulse, seen by its switch, and is told closed again', async () => {
    const { drawer, hardware, printer, waitMs } = withDrawer();
    await printer.tried();
    const states: string[] = [];
    drawer.onState((state) => states.push(state));
    expect(drawer.state()).toBe('closed');
    expect(await drawer.openDrawer(patient)).toEqual({ outcome: 'opened' });
    hardware.setDrawer(false);
    await waitMs(1);
    expect(states).toEqual(['open', 'closed']);
    expect(hardware.drawerPulses).toBe(1);
  });

  it('opens though the printer has no paper', async () => {
    const { drawer, hardware, printer } = withDrawer();
    await printer.tried();
    hardware.setPaper(0);
    expect(await drawer.openDrawer(patient)).toEqual({ outcome: 'opened' });
    expect(drawer.health().state).toBe('online');
  });

  it('that stays shut is stuck, and gets no second pulse', async () => {
    const { drawer, hardware } = withDrawer();
    hardware.stickDrawer(true);
    expect(await drawer.openDrawer(patient)).toMatchObject({ outcome: 'failed', error: 'stuck' });
    expect(hardware.drawerPulses).toBe(1);
  });

  it('without a switch was pulsed, and nobody claims more', async () => {
    const { drawer } = withDrawer({ ...sensed, openLevel: null });
    expect(await drawer.openDrawer(patient)).toEqual({ outcome: 'pulsed' });
    expect(drawer.state()).toBe('unknown');
  });

  it('that hangs on a printer which is gone fails', async () => {
    const { drawer, hardware, printer } = withDrawer();
    await printer.tried();
    hardware.silent = true;
    hardware.powerCycle();
    const opened = await drawer.openDrawer(patient);
    expect(opened.outcome).not.toBe('opened');
  });
});

/** A printer that answers real-time questions and nothing else. */
function onlyRealTime(line: PrinterLine): PrinterLine {
  return {
    label: line.label,
    open: (events, signal) =>
      line.open(
        {
          ...events,
          data: (bytes) => {
            const realTime = bytes.filter((byte) => (byte & 0x93) === 0x12);
            if (bytes.length === 1 && realTime.length === 1) events.data(realTime);
          },
        },
        signal,
      ),
  };
}
