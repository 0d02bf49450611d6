/** The receipt printer over a real socket (XFS4IoT 2024-3, Printer). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Bench, makeStateDir, openBench } from '../test-bench.ts';
import type { TestClient } from '../test-client.ts';

const BYTES = Buffer.from('\x1b@\x1ba\x01KAOPASS\nTotal  10,000\n\x1dV\x42\x00', 'latin1');
const raw = (bytes: Uint8Array = BYTES) => ({ inputData: 'no', data: Buffer.from(bytes).toString('base64') });
const give = { mediaControl: { cut: true, move: 'eject' } };

let folder: ReturnType<typeof makeStateDir>;
let bench: Bench;
let client: TestClient;
const start = async () => {
  bench = await openBench(folder.path);
  client = await bench.client('ReceiptPrinter1');
};
beforeEach(async () => {
  folder = makeStateDir();
  await start();
});
afterEach(async () => {
  await bench.close();
  folder.remove();
});
const status = async () => (await client.command('Common.Status')).payload.printer;

describe('the receipt printer', () => {
  it('S18: prints, gives out, and tells when the receipt was taken', async () => {
    expect((await client.command('Printer.PrintRaw', raw())).header.completionCode).toBe('success');
    expect((await client.command('Printer.ControlMedia', give)).header.completionCode).toBe('success');
    expect((await client.event('Printer.MediaPresentedEvent')).header.requestId).toBe(2);
    expect(await status()).toMatchObject({ media: 'present', paper: { upper: 'full' } });
    expect(bench.hands.printer.take()).toBe(true);
    await client.event('Printer.MediaTakenEvent');
    expect((await status()).media).toBe('notPresent');
    expect(bench.hands.printer.take()).toBe(false);
  });

  it('keeps the bytes as they came and a picture of the paper', async () => {
    await client.command('Printer.PrintRaw', raw(BYTES.subarray(0, 9)));
    await client.command('Printer.PrintRaw', raw(BYTES.subarray(9)));
    await client.command('Printer.ControlMedia', give);
    expect(await bench.hands.printer.receipts.names()).toEqual(['000001']);
    expect(readFileSync(join(folder.path, 'receipts/000001.escpos'))).toEqual(BYTES);
    const picture = await bench.hands.printer.receipts.read('000001', 'png');
    expect(await sharp(picture!).metadata()).toMatchObject({ format: 'png', width: 624 });
    expect(await bench.hands.printer.receipts.read('../printer', 'png')).toBeNull();
  });

  it('runs out of paper: says low, says out, refuses, and prints again when paper is loaded', async () => {
    bench.hands.printer.setPaper(21);
    await client.command('Printer.PrintRaw', raw());
    expect((await client.event('Printer.PaperThresholdEvent')).payload).toEqual({
      paperSource: 'upper',
      threshold: 'low',
    });
    await client.command('Printer.ControlMedia', give);
    bench.hands.printer.setPaper(0);
    expect((await client.command('Printer.PrintRaw', raw())).payload).toEqual({ errorCode: 'paperOut' });
    expect((await status()).paper.upper).toBe('out');
    await client.command('Printer.SupplyReplenish', { upper: true });
    expect((await client.command('Printer.PrintRaw', raw())).header.completionCode).toBe('success');
  });

  it('stays jammed until it is reset, over a restart too', async () => {
    bench.atm.faults.arm({ fault: 'paperJam' });
    expect((await client.command('Printer.PrintRaw', raw())).payload).toEqual({ errorCode: 'paperJammed' });
    await bench.close();
    await start();
    expect(await status()).toMatchObject({ media: 'jammed', paper: { upper: 'jammed' } });
    expect((await client.command('Printer.ControlMedia', give)).payload).toEqual({ errorCode: 'mediaJammed' });
    await client.command('Printer.Reset', {});
    expect((await client.event('Printer.MediaDetectedEvent')).payload).toEqual({ position: 'present' });
    expect((await client.command('Printer.PrintRaw', raw())).header.completionCode).toBe('success');
  });

  it('jams on the way out when it is made to', async () => {
    bench.atm.faults.arm({ fault: 'ejectJam' });
    await client.command('Printer.PrintRaw', raw());
    expect((await client.command('Printer.ControlMedia', give)).payload).toEqual({ errorCode: 'mediaJammed' });
    bench.hands.printer.clearJam();
    expect((await status()).media).toBe('notPresent');
  });

  it('pulls back what nobody took', async () => {
    await client.command('Printer.PrintRaw', raw());
    await client.command('Printer.ControlMedia', give);
    expect((await client.command('Printer.RetractMedia', {})).payload).toEqual({ result: 'transport' });
    expect((await client.command('Printer.RetractMedia', {})).payload).toEqual({ errorCode: 'noMediaPresent' });
    expect(bench.hands.printer.state().retracted).toBe(1);
  });

  it('refuses what it has not and what is nothing, and changes nothing', async () => {
    const asks = async (mediaControl: object) =>
      (await client.command('Printer.ControlMedia', { mediaControl })).header;
    expect((await asks({ stamp: true })).completionCode).toBe('unsupportedData');
    expect((await asks({})).completionCode).toBe('invalidData');
    expect((await client.command('Printer.ControlMedia', give)).payload).toEqual({ errorCode: 'noMediaPresent' });
    expect((await client.command('Printer.PrintRaw', { inputData: 'no', data: '***' })).header.completionCode).toBe(
      'invalidData',
    );
    expect((await client.command('Printer.PrintNative', { data: '' })).header.completionCode).toBe(
      'unsupportedCommand',
    );
    expect(bench.hands.printer.state()).toMatchObject({ begun: 0, paper: 300 });
  });
});
