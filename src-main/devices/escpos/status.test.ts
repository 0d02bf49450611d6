/** The tables of the Epson ESC/POS Command Reference, bit by bit. */
import { describe, expect, it } from 'vitest';
import { afterAsb, afterRealTime, type Condition, obstacle, paperOf, UNKNOWN } from './status.ts';

const realTime = (question: 1 | 2 | 3 | 4, bits: number) => afterRealTime(UNKNOWN, question, 0b0001_0010 | bits);
const asb = (first: number, second = 0, third = 0) => afterAsb(UNKNOWN, [0b0001_0000 | first, second, third, 0]);

describe('DLE EOT n (transmit real-time status)', () => {
  it.each<[string, 1 | 2 | 3 | 4, number, Partial<Condition>]>([
    ['n = 1, printer: online, pin 3 low', 1, 0, { online: true, drawerPinHigh: false }],
    ['n = 1, bit 2: drawer connector pin 3 is high', 1, 1 << 2, { online: true, drawerPinHigh: true }],
    ['n = 1, bit 3: offline', 1, 1 << 3, { online: false, drawerPinHigh: false }],
    ['n = 2, offline cause: none', 2, 0, { coverOpen: false, feeding: false, stopped: false, fault: null }],
    ['n = 2, bit 2: the cover is open', 2, 1 << 2, { coverOpen: true, stopped: false }],
    ['n = 2, bit 3: paper is fed by the button', 2, 1 << 3, { feeding: true }],
    ['n = 2, bit 5: printing stops for lack of paper', 2, 1 << 5, { stopped: true }],
    ['n = 3, error cause: none', 3, 0, { fault: null }],
    ['n = 3, bit 2: recoverable error', 3, 1 << 2, { fault: 'recoverable' }],
    ['n = 3, bit 3: autocutter error', 3, 1 << 3, { fault: 'cutter' }],
    ['n = 3, bit 5: unrecoverable error', 3, 1 << 5, { fault: 'unrecoverable' }],
    ['n = 3, bit 6: auto-recoverable error', 3, 1 << 6, { fault: 'autoRecoverable' }],
    ['n = 3, bits 3 and 5: the worse one counts', 3, (1 << 3) | (1 << 5), { fault: 'unrecoverable' }],
    ['n = 4, roll paper: enough', 4, 0, { paper: 'full' }],
    ['n = 4, bits 2 and 3: near the end', 4, 0b1100, { paper: 'low' }],
    ['n = 4, bits 5 and 6: not there', 4, 0b0110_1100, { paper: 'out' }],
    ['n = 4, one bit of the two: some printers set no more', 4, 1 << 6, { paper: 'out' }],
  ])('%s', (_, question, bits, expected) => {
    expect(realTime(question, bits)).toEqual({ ...UNKNOWN, ...realTime(question, 0), ...expected });
  });

  it('n = 2, bit 6: an error occurred, and n = 3 says which', () => {
    const jammed = realTime(3, 1 << 3);
    expect(afterRealTime(jammed, 2, 0b0101_0010).fault).toBe('cutter');
    expect(afterRealTime(jammed, 2, 0b0001_0010).fault).toBeNull();
  });
});

describe('GS a (Automatic Status Back), four bytes', () => {
  const fine: Condition = {
    online: true,
    paper: 'full',
    coverOpen: false,
    stopped: false,
    feeding: false,
    fault: null,
    drawerPinHigh: false,
  };
  it.each<[string, [number, number?, number?], Partial<Condition>]>([
    ['all is well', [0], {}],
    ['byte 1, bit 2: drawer connector pin 3 is high', [1 << 2], { drawerPinHigh: true }],
    ['byte 1, bit 3: offline', [1 << 3], { online: false }],
    ['byte 1, bit 5: the cover is open', [1 << 5], { coverOpen: true }],
    ['byte 1, bit 6: paper is fed by the button', [1 << 6], { feeding: true }],
    ['byte 2, bit 2: recoverable error', [0, 1 << 2], { fault: 'recoverable' }],
    ['byte 2, bit 3: autocutter error', [0, 1 << 3], { fault: 'cutter' }],
    ['byte 2, bit 5: unrecoverable error', [0, 1 << 5], { fault: 'unrecoverable' }],
    ['byte 2, bit 6: auto-recoverable error', [0, 1 << 6], { fault: 'autoRecoverable' }],
    ['byte 3, bits 0 and 1: near the end', [0, 0, 0b0011], { paper: 'low' }],
    ['byte 3, bits 2 and 3: no paper', [0, 0, 0b1111], { paper: 'out', stopped: true }],
  ])('%s', (_, bytes, expected) => {
    expect(asb(...bytes)).toEqual({ ...fine, ...expected });
  });
});

describe('GS r 1 (transmit paper sensor status)', () => {
  it('reads near end from bits 0 and 1, end from bits 2 and 3', () => {
    expect([0, 0b0011, 0b1100, 0b1111].map(paperOf)).toEqual(['full', 'low', 'out', 'out']);
  });
});

describe('what keeps a printer from printing', () => {
  it('is what a person has to do first: the open cover before the paper behind it', () => {
    expect(obstacle({ ...UNKNOWN, coverOpen: true, paper: 'out' })?.kind).toBe('coverOpen');
    expect(obstacle({ ...UNKNOWN, fault: 'cutter', paper: 'out' })?.kind).toBe('cutter');
    expect(obstacle({ ...UNKNOWN, fault: 'unrecoverable', coverOpen: true })?.kind).toBe('unrecoverable');
    expect(obstacle({ ...UNKNOWN, stopped: true })?.kind).toBe('paperOut');
    expect(obstacle({ ...UNKNOWN, online: false, feeding: true })?.message).toContain('feed button');
    expect(obstacle({ ...UNKNOWN, online: false })?.kind).toBe('offline');
  });

  it('is nothing while paper is only low, or nothing is known', () => {
    expect(obstacle({ ...UNKNOWN, online: true, paper: 'low' })).toBeNull();
    expect(obstacle(UNKNOWN)).toBeNull();
  });
});
