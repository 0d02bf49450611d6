/** What each line says when it fails, and what it does with a device that is slow, engaged or gone. */
import { execFileSync } from 'node:child_process';
import { constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { open as openFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../tests/contract/devices/virtual-clock.ts';
import { patient } from '../../../tests/contract/devices/vocabulary.ts';
import { systemClock } from '../../clock.ts';
import type { LineError, LineEvents } from './line.ts';
import { serialLine } from './serial-line.ts';
import { tcpLine } from './tcp-line.ts';
import { usbLine } from './usb-line.ts';
import { VirtualPrinter } from './virtual/printer.ts';
import { pseudoFile, pseudoPort } from './virtual/pseudo-devices.ts';
import { servePrinter } from './virtual/server.ts';

const deaf: LineEvents = { data: () => undefined, closed: () => undefined };
function listener() {
  const closed = Promise.withResolvers<LineError>();
  const heard: number[] = [];
  return {
    events: { data: (bytes: Uint8Array) => heard.push(...bytes), closed: closed.resolve },
    heard,
    closed: closed.promise,
  };
}
const askPrinter = Uint8Array.of(0x10, 0x04, 1);

describe('TCP', () => {
  it('says that nobody listens there', async () => {
    const server = await servePrinter(new VirtualPrinter({ clock: systemClock }), 0);
    await server.close();
    await expect(tcpLine('127.0.0.1', server.port, systemClock).open(deaf, patient)).rejects.toMatchObject({
      failure: 'absent',
      message: expect.stringContaining(`TCP 127.0.0.1:${server.port} refuses`),
    });
  });

  it('gives up a host that never answers, in time', async () => {
    // 192.0.2.0/24 is for documentation (RFC 5737): whatever this machine's network says of it, no printer is there.
    const clock = new VirtualClock();
    const started = systemClock.monotonicMs();
    await expect(tcpLine('192.0.2.1', 9_100, clock).open(deaf, patient)).rejects.toMatchObject({ name: 'LineError' });
    expect(systemClock.monotonicMs() - started).toBeLessThan(10_000);
  });

  it('rejects with the reason of an aborted signal', async () => {
    await expect(tcpLine('127.0.0.1', 9, systemClock).open(deaf, AbortSignal.abort('left'))).rejects.toBe('left');
  });

  it('tells a connection that the printer broke or ended', async () => {
    const hardware = new VirtualPrinter({ clock: systemClock });
    const server = await servePrinter(hardware, 0);
    const { events, closed } = listener();
    const open = await tcpLine('127.0.0.1', server.port, systemClock).open(events, patient);
    await open.write(askPrinter, patient);
    hardware.powerCycle();
    expect((await closed).failure).toBe('gone');
    await expect(open.write(askPrinter, patient)).rejects.toMatchObject({ failure: 'gone' });
    await server.close();
  });

  it('finds a printer engaged that serves another host', async () => {
    const server = await servePrinter(new VirtualPrinter({ clock: systemClock }), 0);
    const line = tcpLine('127.0.0.1', server.port, systemClock);
    const first = await line.open(deaf, patient);
    const { events, closed } = listener();
    const second = await line.open(events, patient);
    expect((await closed).failure).toBe('gone');
    await second.close();
    await first.close();
    await server.close();
  });

  it('waits while the printer takes nothing, and leaves off when told', async () => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.pause();
      socket.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const open = await tcpLine('127.0.0.1', port, systemClock).open(deaf, patient);
    const leaving = new AbortController();
    const writing = open.write(new Uint8Array(64 << 20), leaving.signal);
    setTimeout(() => leaving.abort('enough'), 30);
    await expect(writing).rejects.toBe('enough');
    await open.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
});

describe('USB printer class file', () => {
  const failing = (code: string) =>
    usbLine('/dev/usb/lp0', systemClock, async () => {
      throw Object.assign(new Error(code), { code });
    });
  it.each([
    ['ENOENT', 'absent', 'lsusb'],
    ['ENODEV', 'gone', 'cable'],
    ['EACCES', 'permission', 'udev rule of docs/printers.md'],
    ['EPERM', 'permission', 'group'],
    ['EBUSY', 'busy', 'CUPS'],
    ['ENOSPC', 'paperOut', 'out of paper'],
    ['EMFILE', 'failed', 'EMFILE'],
  ])('%s is "%s" and names the remedy', async (code, failure, remedy) => {
    await expect(failing(code).open(deaf, patient)).rejects.toMatchObject({
      failure,
      message: expect.stringMatching(new RegExp(`/dev/usb/lp0.*${remedy}`, 's')),
    });
  });

  it('is read and written without ever blocking (a FIFO of the real file system)', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'kaopass-lp-'));
    const path = join(dir, 'lp0');
    execFileSync('mkfifo', [path]);
    const { events, heard } = listener();
    // Nothing is there to read at first (EAGAIN); then what was written comes back.
    const open = await usbLine(path, systemClock).open(events, patient);
    await open.write(askPrinter, patient);
    while (heard.length < 3) await systemClock.sleep(5, patient);
    expect(heard).toEqual([...askPrinter]);
    await open.close();
    await open.close();
    await expect(open.write(askPrinter, patient)).rejects.toMatchObject({ failure: 'gone' });
    rmSync(dir, { recursive: true });
  });

  it('waits while the printer is busy, and says when it was unplugged', async () => {
    const clock = new VirtualClock();
    const hardware = new VirtualPrinter({ clock, bufferBytes: 2_000, dotsPerSecond: 1_600 });
    const { events, closed } = listener();
    const open = await usbLine('/dev/usb/lp0', clock, pseudoFile(hardware)).open(events, patient);
    await open.write(new TextEncoder().encode('A line of a long receipt\n'.repeat(200)), patient);
    expect(clock.monotonicMs()).toBeGreaterThan(1_000);
    hardware.powerCycle();
    expect(await closed).toMatchObject({ failure: 'gone', message: expect.stringContaining('ENODEV') });
    await expect(open.write(askPrinter, patient)).rejects.toMatchObject({ failure: 'gone' });
    hardware.close();
  });

  it('that may not be opened says so (a file without permissions of the real file system)', async ({ skip }) => {
    if (process.getuid?.() === 0) skip('root may open everything');
    const dir = mkdtempSync(join(tmpdir(), 'kaopass-lp-'));
    const path = join(dir, 'lp0');
    writeFileSync(path, '', { mode: 0 });
    await expect(openFile(path, constants.O_RDWR)).rejects.toThrow('EACCES');
    await expect(usbLine(path, systemClock).open(deaf, patient)).rejects.toMatchObject({ failure: 'permission' });
    rmSync(dir, { recursive: true });
  });
});

describe('serial port', () => {
  const settings = { path: '/dev/ttyUSB7', baudRate: 38_400 };

  it('that is not there says so (the system’s own word)', async () => {
    await expect(serialLine(settings, systemClock).open(deaf, patient)).rejects.toMatchObject({
      failure: 'absent',
      message: expect.stringContaining('/dev/ttyUSB7'),
    });
  });

  it('carries bytes both ways, and says when its adapter was unplugged', async () => {
    const clock = new VirtualClock();
    const hardware = new VirtualPrinter({ clock });
    const { events, heard, closed } = listener();
    const open = await serialLine(settings, clock, pseudoPort(hardware)).open(events, patient);
    await open.write(askPrinter, patient);
    while (heard.length < 1) await systemClock.sleep(1, patient);
    expect(heard).toEqual([0x16]);
    hardware.powerCycle();
    expect((await closed).failure).toBe('gone');
    await expect(open.write(askPrinter, patient)).rejects.toMatchObject({ failure: 'gone' });
    await open.close();
  });

  it('gives up a printer whose flow control never lets a byte through', async () => {
    const clock = new VirtualClock();
    const hardware = new VirtualPrinter({ clock, bufferBytes: 1 });
    hardware.setCover(true);
    const open = await serialLine(settings, clock, pseudoPort(hardware)).open(deaf, patient);
    await expect(open.write(new TextEncoder().encode('Kaopass'), patient)).rejects.toMatchObject({
      failure: 'timeout',
    });
    hardware.setCover(false);
    await open.close();
  });
});
