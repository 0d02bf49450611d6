import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Response, ResponseReader } from './responses.ts';

function read(...pieces: readonly (readonly number[])[]): Response[] {
  const heard: Response[] = [];
  const reader = new ResponseReader((response) => heard.push(response));
  for (const piece of pieces) reader.push(Uint8Array.from(piece));
  return heard;
}

describe('bytes from a printer (ESC/POS reference, differentiating transmitted data)', () => {
  it('tells DLE EOT, ASB, GS r and blocks apart by their fixed bits', () => {
    expect(read([0x16, 0x14, 0x00, 0x0f, 0x00, 0x0c, 0x37, 0x22, 0x4b, 0x30, 0x30, 0x31, 0x00])).toEqual([
      { kind: 'realTime', byte: 0x16 },
      { kind: 'asb', block: [0x14, 0x00, 0x0f, 0x00] },
      { kind: 'single', byte: 0x0c },
      { kind: 'processId', id: 'K001' },
    ]);
    expect(read([0x5f, ...Buffer.from('EPSON'), 0])).toEqual([{ kind: 'info', text: 'EPSON' }]);
    expect(read([0x37, 0x25, 0])).toEqual([{ kind: 'cleared' }]);
  });

  it('reads an ASB block that comes byte by byte, with XON and XOFF in it', () => {
    expect(read([0x10], [0x13], [0x08], [0x11, 0x00], [0x00])).toEqual([{ kind: 'asb', block: [0x10, 8, 0, 0] }]);
  });

  it('gives up a block that is interrupted, and believes what interrupts it', () => {
    expect(read([0x10, 0x00, 0x12])).toEqual([
      { kind: 'garbage', bytes: Uint8Array.of(0x10, 0x00) },
      { kind: 'realTime', byte: 0x12 },
    ]);
  });

  it('calls garbage what no printer sends', () => {
    expect(read([0xff, 0x81, 0x93]).map((response) => response.kind)).toEqual(['garbage', 'garbage', 'garbage']);
    expect(read([0x37, 0x22, 0x41, 0x00])[0]?.kind).toBe('garbage');
    expect(read([0x5f, ...Array.from({ length: 100 }, () => 0x41)]).some(({ kind }) => kind === 'garbage')).toBe(true);
  });

  it('loses no byte, whatever comes and however it is cut into pieces', () => {
    const size = (response: Response): number => {
      switch (response.kind) {
        case 'asb':
          return 4;
        case 'processId':
          return 7;
        case 'cleared':
          return 3;
        case 'info':
          return response.text.length + 2;
        case 'garbage':
          return response.bytes.length;
        default:
          return 1;
      }
    };
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 }), (pieces) => {
        const whole = read(pieces.flatMap((piece) => [...piece]));
        expect(read(...pieces.map((piece) => [...piece]))).toEqual(whole);
        const bytes = pieces.flatMap((piece) => [...piece]).filter((byte) => byte !== 0x11 && byte !== 0x13).length;
        const told = whole.reduce((sum, response) => sum + size(response), 0);
        expect(told).toBeLessThanOrEqual(bytes);
        // What is not told yet is an unfinished block, and those are bounded.
        expect(bytes - told).toBeLessThanOrEqual(84);
      }),
      { numRuns: 500 },
    );
  });
});
