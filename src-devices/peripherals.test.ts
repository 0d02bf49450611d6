/** Barcode reader, lights, cameras and biometric unit over real sockets (XFS4IoT 2024-3). */
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Bench, makeStateDir, openBench } from './test-bench.ts';

let folder: ReturnType<typeof makeStateDir>;
let bench: Bench;
beforeEach(async () => {
  folder = makeStateDir();
  bench = await openBench(folder.path);
});
afterEach(async () => {
  await bench.close();
  folder.remove();
});

describe('the barcode reader', () => {
  it('reads what is held before it while it looks, and nothing else', async () => {
    const client = await bench.client('BarcodeReader1');
    const { barcode } = bench.hands;
    expect(barcode.scan('jan13', Buffer.from('4901234567894'))).toBe(false);
    const id = client.send('BarcodeReader.Read', { symbologies: { jan13: true, qrCode: false } });
    await client.event('Common.StatusChangedEvent');
    expect(barcode.reading()).toBe(true);
    expect(barcode.scan('qrCode', Buffer.from('x'))).toBe(false);
    expect(barcode.scan('jan13', Buffer.from('4901234567894'))).toBe(true);
    expect((await client.completion(id)).payload).toEqual({
      readOutput: [{ symbology: 'jan13', barcodeData: Buffer.from('4901234567894').toString('base64') }],
    });
    expect((await client.command('Common.Status')).payload.barcodeReader).toEqual({ scanner: 'off' });
  });

  it('times out when nobody scans', async () => {
    const client = await bench.client('BarcodeReader1');
    const id = client.send('BarcodeReader.Read', {}, { timeout: 5_000 });
    await client.event('Common.StatusChangedEvent');
    await bench.clock.advance(5_000);
    expect((await client.completion(id)).header.completionCode).toBe('timeOut');
    expect(bench.hands.barcode.reading()).toBe(false);
  });
});

describe('the lights', () => {
  const set = { notesDispenser: { default: { flashRate: 'medium', color: 'green', direction: 'exit' } } };

  it('shine as they are told, and say so', async () => {
    const client = await bench.client('Lights1');
    expect((await client.command('Lights.SetLight', set)).header.completionCode).toBe('success');
    expect((await client.event('Common.StatusChangedEvent')).payload).toEqual({ lights: set });
    await client.command('Lights.SetLight', { notesDispenser: { default: { flashRate: 'off' } } });
    expect(bench.hands.lights.lamps()['notesDispenser']).toEqual({ flashRate: 'off', color: 'green' });
  });

  it('refuse a light that is not there, and change none', async () => {
    const client = await bench.client('Lights1');
    const { payload } = await client.command('Lights.SetLight', { ...set, toaster: set.notesDispenser });
    expect(payload).toEqual({ errorCode: 'invalidLight' });
    expect(bench.hands.lights.lamps()['notesDispenser']?.flashRate).toBe('off');
    bench.atm.faults.arm({ fault: 'lightFailure' });
    expect((await client.command('Lights.SetLight', set)).payload).toEqual({ errorCode: 'lightError' });
    expect((await client.command('Lights.SetLight', {})).header.completionCode).toBe('invalidData');
  });
});

describe('the cameras', () => {
  it('take a picture with the given text, count it, and say when text was cut', async () => {
    const client = await bench.client('Camera1');
    const { payload } = await client.command('Camera.TakePicture', { camera: 'person', camData: 'x'.repeat(61) });
    expect(await sharp(Buffer.from(payload.pictureFile, 'base64')).metadata()).toMatchObject({ width: 640 });
    await client.event('Camera.InvalidDataEvent');
    expect((await client.command('Common.Status')).payload.camera.pictures).toEqual({ person: 1, exitSlot: 0 });
  });

  it('break, each by itself, until a reset', async () => {
    const client = await bench.client('Camera1');
    bench.atm.faults.arm({ fault: 'cameraBroken' });
    const take = async (camera: string) => (await client.command('Camera.TakePicture', { camera })).payload.errorCode;
    expect(await take('person')).toBe('cameraInoperable');
    expect((await client.command('Common.Status')).payload.camera.cameras).toEqual({
      person: 'inoperative',
      exitSlot: 'ok',
    });
    expect(await take('exitSlot')).toBeUndefined();
    await client.command('Camera.Reset');
    expect(await take('person')).toBeUndefined();
    expect(await take('room')).toBe('cameraNotSupported');
  });
});

describe('the biometric unit', () => {
  it('prompts, captures whoever comes, and matches only the same subject', async () => {
    const client = await bench.client('Biometric1');
    const read = async (subject: string) => {
      const id = client.send('Biometric.Read', { numCaptures: 1, dataTypes: [{ format: 'reservedTemplate1' }] });
      await client.next(({ header }) => header.name === 'Biometric.PresentSubjectEvent' && header.requestId === id);
      bench.hands.biometric.present(subject);
      const { payload } = await client.completion(id);
      bench.hands.biometric.present(null);
      await client.event('Biometric.SubjectRemovedEvent');
      return payload.dataRead[0];
    };
    const match = async (order: object) =>
      (await client.command('Biometric.Match', { threshold: 50, ...order })).payload;
    const template = await read('subject-1');
    expect(await match({ compareMode: 'identity' })).toEqual({ errorCode: 'noImportedData' });
    const { payload } = await client.command('Biometric.Import', { templates: [template] });
    expect(Object.keys(payload.templates)).toEqual(['id1']);
    expect(await match({ compareMode: 'verify', identifier: 'id1' })).toEqual({
      candidates: { id1: { confidenceLevel: 100 } },
    });
    await read('subject-2');
    expect(await match({ compareMode: 'verify', identifier: 'id1' })).toBeUndefined();
    expect(await match({ compareMode: 'verify', identifier: 'id7' })).toEqual({ errorCode: 'invalidIdentifier' });
  });

  it('fails a read when the subject goes too soon, and clears what it holds', async () => {
    const client = await bench.client('Biometric1');
    bench.hands.biometric.present('subject-1');
    await client.command('Biometric.Read', { numCaptures: 1 });
    expect((await client.command('Common.Status')).payload.biometric).toMatchObject({
      subject: 'present',
      capture: true,
    });
    await client.command('Biometric.Clear', {});
    await client.event('Biometric.DataClearedEvent');
    expect((await client.command('Common.Status')).payload.biometric.capture).toBe(false);
  });
});

describe('any of them', () => {
  it('answers with what its state is when it is not online', async () => {
    const client = await bench.client('Lights1');
    bench.hands.lights.service.setDevice('noDevice');
    expect((await client.event('Common.StatusChangedEvent')).payload).toEqual({ common: { device: 'noDevice' } });
    const { header } = await client.command('Lights.SetLight', { pinPad: { default: { flashRate: 'slow' } } });
    expect(header.completionCode).toBe('deviceNotReady');
  });

  it('says of itself what it can, by the interfaces it has', async () => {
    const said = await Promise.all(
      ['PinPad1', 'ReceiptPrinter1', 'BarcodeReader1', 'Lights1', 'Camera1', 'Biometric1'].map(async (service) => {
        const { payload } = await (await bench.client(service)).command('Common.Capabilities');
        return payload.interfaces.map(({ name }: { name: string }) => name).join('+');
      }),
    );
    expect(said).toEqual([
      'Common+Keyboard+PinPad+KeyManagement',
      'Common+Printer',
      'Common+BarcodeReader',
      'Common+Lights',
      'Common+Camera',
      'Common+Biometric',
    ]);
  });
});
