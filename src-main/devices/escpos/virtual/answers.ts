/** What the virtual printer answers, bit by bit. Written from the reference's tables, apart from the driver that reads them. */

export interface PrinterState {
  /** What is left of the roll, in dots; 0 is out. */
  readonly paperDots: number;
  /** Where the near-end sensor sits. */
  readonly paperLowDots: number;
  readonly coverOpen: boolean;
  readonly cutterJammed: boolean;
  readonly feeding: boolean;
  readonly tooHot: boolean;
  readonly broken: boolean;
  readonly drawerPinHigh: boolean;
}

const flag = (bit: number, on: boolean) => (on ? 1 << bit : 0);
const isOut = ({ paperDots }: PrinterState) => paperDots === 0;
const isLow = ({ paperDots, paperLowDots }: PrinterState) => paperDots <= paperLowDots;
const isReady = (state: PrinterState) => !isOut(state) && !state.coverOpen && !state.feeding && !hasError(state);
const hasError = ({ cutterJammed, tooHot, broken }: PrinterState) => cutterJammed || tooHot || broken;

/** DLE EOT n; null for an n that this printer leaves unanswered. */
export function realTimeAnswer(state: PrinterState, n: number): number | null {
  const fixed = 0b0001_0010;
  switch (n) {
    case 1:
      return fixed | flag(2, state.drawerPinHigh) | flag(3, !isReady(state)) | flag(6, state.feeding);
    case 2:
      return (
        fixed | flag(2, state.coverOpen) | flag(3, state.feeding) | flag(5, isOut(state)) | flag(6, hasError(state))
      );
    case 3:
      return fixed | flag(3, state.cutterJammed) | flag(5, state.broken) | flag(6, state.tooHot);
    case 4:
      return fixed | (isLow(state) ? 0b0000_1100 : 0) | (isOut(state) ? 0b0110_0000 : 0);
    default:
      return null;
  }
}

/** Automatic Status Back, four bytes. */
export function asbBlock(state: PrinterState, ready: boolean): readonly [number, number, number, number] {
  return [
    0b0001_0000 | flag(2, state.drawerPinHigh) | flag(3, !ready) | flag(5, state.coverOpen) | flag(6, state.feeding),
    flag(3, state.cutterJammed) | flag(5, state.broken) | flag(6, state.tooHot),
    paperBits(state),
    0,
  ];
}

function paperBits(state: PrinterState): number {
  return (isLow(state) ? 0b0011 : 0) | (isOut(state) ? 0b1100 : 0);
}

/** GS r n and GS I n; null for what this printer leaves unanswered. */
export function gsAnswer(
  state: PrinterState,
  name: 'GS r' | 'GS I',
  n: number,
  { maker, model }: { maker: string; model: string },
): readonly number[] | null {
  if (name === 'GS r') {
    if (n === 1 || n === 49) return [paperBits(state)];
    return n === 2 || n === 50 ? [flag(0, state.drawerPinHigh)] : null;
  }
  const text = (value: string) => [0x5f, ...Buffer.from(value, 'latin1').subarray(0, 80), 0];
  switch (n) {
    case 1:
    case 49:
      return [0x20];
    case 2:
    case 50:
      // Bit 1: a cutter is installed.
      return [0b0000_0010];
    case 3:
    case 51:
      return [0x01];
    case 65:
      return text('1.00');
    case 66:
      return text(maker);
    case 67:
      return text(model);
    case 68:
      return text('V000000001');
    case 69:
      return text('KANJI JAPANESE');
    default:
      return null;
  }
}
