/** Line plots as SVG. */

export interface Axis {
  readonly label: string;
  readonly scale: 'linear' | 'log';
  readonly from: number;
  readonly to: number;
}

export interface Plot {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly lines: readonly { readonly name: string; readonly points: readonly (readonly [x: number, y: number])[] }[];
}

const WIDTH = 700;
const HEIGHT = 380;
const LEFT = 70;
const RIGHT = 20;
const TOP = 12;
const BOTTOM = 46;
const LEGEND_LINE = 18;
const COLOURS = ['var(--a)', 'var(--b)', 'var(--c)', 'var(--d)', 'var(--e)'];
/** Told apart without colours. */
const DASHES = ['', '7 4', '2 3', '10 3 2 3', '1 5'];

export function plotOf(plot: Plot): string {
  const { x, y } = plot;
  const lines = plot.lines.filter(({ points }) => points.length > 0);
  const atX = (value: number) => LEFT + shareOn(x, value) * (WIDTH - LEFT - RIGHT);
  const atY = (value: number) => HEIGHT - BOTTOM - shareOn(y, value) * (HEIGHT - TOP - BOTTOM);
  const grid = [
    ...ticksOf(x).map((tick) => {
      const at = atX(tick).toFixed(1);
      return `<path class="grid" d="M${at} ${TOP}V${HEIGHT - BOTTOM}"/><text x="${at}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${tickText(x, tick)}</text>`;
    }),
    ...ticksOf(y).map((tick) => {
      const at = atY(tick);
      return `<path class="grid" d="M${LEFT} ${at.toFixed(1)}H${WIDTH - RIGHT}"/><text x="${LEFT - 8}" y="${(at + 4).toFixed(1)}" text-anchor="end">${tickText(y, tick)}</text>`;
    }),
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 8}" text-anchor="middle">${escaped(x.label)}</text>`,
    `<text transform="translate(14 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">${escaped(y.label)}</text>`,
  ];
  const drawn = lines.map(({ points }, i) => {
    const path = points.map(([u, v], k) => `${k === 0 ? 'M' : 'L'}${atX(u).toFixed(1)} ${atY(v).toFixed(1)}`).join('');
    const dots =
      points.length <= 12
        ? points
            .map(
              ([u, v]) =>
                `<circle cx="${atX(u).toFixed(1)}" cy="${atY(v).toFixed(1)}" r="3" fill="${COLOURS[i % COLOURS.length]}"/>`,
            )
            .join('')
        : '';
    return `<path class="line" stroke="${COLOURS[i % COLOURS.length]}" stroke-dasharray="${DASHES[i % DASHES.length]}" d="${path}"/>${dots}`;
  });
  const legend = lines.map(({ name }, i) => {
    const at = HEIGHT + 6 + i * LEGEND_LINE;
    return `<path class="line" stroke="${COLOURS[i % COLOURS.length]}" stroke-dasharray="${DASHES[i % DASHES.length]}" d="M${LEFT} ${at}h40"/><text x="${LEFT + 48}" y="${at + 4}">${escaped(name)}</text>`;
  });
  const height = HEIGHT + lines.length * LEGEND_LINE;
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(plot.title)}">${[...grid, ...drawn, ...legend].join('')}</svg>`;
}

/** 0…1 along the axis; what lies beyond is drawn at its end. */
function shareOn({ scale, from, to }: Axis, value: number): number {
  const on = scale === 'log' ? (v: number) => Math.log10(Math.max(v, from)) : (v: number) => v;
  return Math.min(1, Math.max(0, (on(value) - on(from)) / (on(to) - on(from))));
}

function ticksOf({ scale, from, to }: Axis): number[] {
  if (scale === 'log') {
    const first = Math.ceil(Math.log10(from) - 1e-9);
    const last = Math.floor(Math.log10(to) + 1e-9);
    return Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i));
  }
  const rough = (to - from) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough)!;
  const ticks: number[] = [];
  for (let k = Math.ceil(from / step - 1e-9); k * step <= to + 1e-9; k++) ticks.push(k * step);
  return ticks;
}

function tickText({ scale }: Axis, tick: number): string {
  if (scale === 'linear') return String(Number(tick.toPrecision(3)));
  return tick >= 1
    ? tick.toLocaleString('en')
    : `10<tspan dy="-4" font-size="9">${Math.round(Math.log10(tick))}</tspan>`;
}

export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
