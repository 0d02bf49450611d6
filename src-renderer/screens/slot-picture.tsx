/** The cash slot, and which way the notes go. */
export function SlotPicture({ direction }: { direction: 'in' | 'out' }) {
  return (
    <svg className={`slot slot-${direction}`} viewBox="0 0 360 360" aria-hidden="true" focusable="false">
      <rect className="slot-plate" x="20" y="20" width="320" height="320" rx="36" />
      <rect className="slot-mouth" x="62" y="92" width="236" height="22" rx="11" />
      <clipPath id="slot-below">
        <rect x="40" y="103" width="280" height="230" />
      </clipPath>
      <g clipPath="url(#slot-below)">
        <g className="slot-notes">
          <rect className="slot-note slot-note-back" x="92" y="66" width="176" height="150" rx="8" />
          <rect className="slot-note" x="82" y="56" width="196" height="150" rx="8" />
          <circle className="slot-note-mark" cx="180" cy="134" r="30" />
          <path className="slot-note-yen" d="M168 116l12 16l12-16M180 132v24M169 138h22M169 147h22" />
        </g>
      </g>
      <path
        className="slot-arrow"
        d={direction === 'in' ? 'M180 312v-56M156 278l24-24l24 24' : 'M180 254v56M156 288l24 24l24-24'}
      />
    </svg>
  );
}
