import type { Screen } from '../../src-contract/screen.ts';

/** The camera's picture in the guide's own units, 4:3 as every frame is. */
const WIDTH = 640;
const HEIGHT = 480;
const OVAL = { cx: WIDTH / 2, cy: HEIGHT / 2, rx: 128, ry: 172 };

type Look = Extract<Screen, { name: 'look' }>;

/** The oval, how far the check has come around it, and the corners of the face that was found. Lies over the picture. */
export function LookGuide({ progress, face }: Pick<Look, 'progress' | 'face'>) {
  return (
    <svg className="look-guide" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true" focusable="false">
      <path className="look-shade" fillRule="evenodd" d={`M0 0H${WIDTH}V${HEIGHT}H0Z ${ovalPath()}`} />
      <path className="look-oval" d={ovalPath()} />
      <path
        className="look-ring"
        d={ovalPath()}
        pathLength={100}
        strokeDasharray={`${Math.min(1, progress) * 100} 100`}
        data-empty={progress <= 0}
      />
      {face && <path className="look-corners" d={cornersPath(mirrored(face))} />}
    </svg>
  );
}

/** Starts at the top and runs clockwise, so that the ring fills like a clock. */
function ovalPath(): string {
  const { cx, cy, rx, ry } = OVAL;
  return `M${cx} ${cy - ry}A${rx} ${ry} 0 0 1 ${cx} ${cy + ry}A${rx} ${ry} 0 0 1 ${cx} ${cy - ry}Z`;
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** From fractions of the frame as the camera sees it to units of the picture as the customer does. */
export function mirrored(face: Box): Box {
  return {
    x: (1 - face.x - face.width) * WIDTH,
    y: face.y * HEIGHT,
    width: face.width * WIDTH,
    height: face.height * HEIGHT,
  };
}

function cornersPath({ x, y, width, height }: Box): string {
  const arm = Math.min(width, height) * 0.18;
  const right = x + width;
  const bottom = y + height;
  return [
    `M${x} ${y + arm}V${y}H${x + arm}`,
    `M${right - arm} ${y}H${right}V${y + arm}`,
    `M${right} ${bottom - arm}V${bottom}H${right - arm}`,
    `M${x + arm} ${bottom}H${x}V${bottom - arm}`,
  ].join('');
}
