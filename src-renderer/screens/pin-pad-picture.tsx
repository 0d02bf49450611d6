/** Where to look: not at the screen, but at the pad below it. It shows no key being pressed, whichever is. */
export function PinPadPicture() {
  const keys = Array.from({ length: 12 }, (_, at) => ({ x: 74 + (at % 3) * 62, y: 176 + Math.floor(at / 3) * 46 }));
  return (
    <svg className="pin-picture" viewBox="0 0 300 380" aria-hidden="true" focusable="false">
      <rect className="pin-picture-screen" x="40" y="8" width="220" height="96" rx="12" />
      <path className="pin-picture-dots" d="M105 56h.1M135 56h.1M165 56h.1M195 56h.1" />
      <path className="pin-picture-arrow" d="M150 114v28M136 130l14 14l14-14" />
      <rect className="pin-picture-pad" x="40" y="154" width="220" height="216" rx="18" />
      {keys.map(({ x, y }) => (
        <rect key={`${x} ${y}`} className="pin-picture-key" x={x - 8} y={y} width="44" height="34" rx="7" />
      ))}
      <rect className="pin-picture-enter" x="190" y="314" width="44" height="34" rx="7" />
      <path className="pin-picture-tick" d="M203 331l7 7l12-13" />
    </svg>
  );
}
