/** Line icons on a 24-unit grid, in the colour of the text around them. They never stand without words. */
import './icon.css';

const PATHS = {
  tick: ['M4.5 12.8l5 5L19.5 7'],
  cross: ['M6 6l12 12M18 6L6 18'],
  again: ['M19 12a7 7 0 1 1-2.3-5.2M19.5 3.5v4h-4'],
  clock: ['M12 3.5a8.5 8.5 0 1 0 0 17a8.5 8.5 0 0 0 0-17M12 7.5V12l3.2 2'],
  offline: [
    'M4 4l16 16M8.4 8.1A8 8 0 0 0 5 10.3M2.5 7.5a13 13 0 0 1 3.2-2.2M10 4.2a13 13 0 0 1 11.5 3.3M13.6 8.2a8 8 0 0 1 5.4 2.1M8 13.6a5.5 5.5 0 0 1 3.5-1.6M12 18.2v.1',
  ],
  left: ['M20 12H4.5M11 5.5L4.5 12l6.5 6.5'],
  right: ['M4 12h15.5M13 5.5l6.5 6.5l-6.5 6.5'],
  up: ['M12 20V4.5M5.5 11L12 4.5l6.5 6.5'],
  down: ['M12 4v15.5M5.5 13l6.5 6.5l6.5-6.5'],
  closer: ['M9.5 4v5.5H4M14.5 4v5.5H20M9.5 20v-5.5H4M14.5 20v-5.5H20'],
  farther: ['M4 9.5V4h5.5M20 9.5V4h-5.5M4 14.5V20h5.5M20 14.5V20h-5.5'],
  sun: [
    'M12 8a4 4 0 1 0 0 8a4 4 0 0 0 0-8M12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M18.7 5.3l-1.4 1.4M6.7 17.3l-1.4 1.4',
  ],
  shade: ['M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10'],
  face: [
    'M12 3.5c-4 0-6.5 3-6.5 8s2.8 9 6.5 9s6.5-4 6.5-9s-2.5-8-6.5-8M9.5 10v.8M14.5 10v.8M9.5 15c1.5 1.4 3.5 1.4 5 0',
  ],
  people: [
    'M8.5 5a3 3 0 1 0 0 6a3 3 0 0 0 0-6M2.5 19c0-3.5 2.5-5.5 6-5.5s6 2 6 5.5M16 5.3a3 3 0 0 1 0 5.5M17.5 13.8c2.5.5 4 2.3 4 5.2',
  ],
  still: ['M8.5 5v14M15.5 5v14'],
  enrol: ['M10 4a4 4 0 1 0 0 8a4 4 0 0 0 0-8M3 20c0-4 3-6 7-6c1.5 0 2.8.3 4 .8M18.5 14v7M15 17.5h7'],
  deposit: ['M3 4.5h18M6 4.5V20h12V4.5M12 16.5v-7M9 12.3l3-3l3 3'],
  withdraw: ['M3 4.5h18M6 4.5V20h12V4.5M12 9v7M9 13.2l3 3l3-3'],
  transfer: ['M3 8h16.5M15.5 4l4 4l-4 4M21 16H4.5M8.5 12l-4 4l4 4'],
  balance: ['M5 3.5h14v17H5zM8.5 8h7M8.5 12h7M8.5 16h4'],
  purchase: ['M3 4h2.5l2.3 11h10.4L20.5 7H6.2M9 19.3v.2M17 19.3v.2'],
  'opt-out': ['M10 4a4 4 0 1 0 0 8a4 4 0 0 0 0-8M3 20c0-4 3-6 7-6c1.5 0 2.8.3 4 .8M15.5 15l5.5 5.5M21 15l-5.5 5.5'],
  scan: ['M4 8V4h4M16 4h4v4M20 16v4h-4M8 20H4v-4M8 8.5v7M11 8.5v7M13.5 8.5v7M16 8.5v7'],
  receipt: ['M6 3.5h12v17l-2-1.5l-2 1.5l-2-1.5l-2 1.5l-2-1.5l-2 1.5zM9 8h6M9 12h6'],
  notes: ['M3 7h18v10H3zM12 9.8a2.2 2.2 0 1 0 0 4.4a2.2 2.2 0 0 0 0-4.4M6 12v.1M18 12v.1'],
  pinpad: ['M6.5 3h11v18h-11zM9.5 7v.1M12 7v.1M14.5 7v.1M9.5 11v.1M12 11v.1M14.5 11v.1M9.5 15v.1M12 15v.1M14.5 15v.1'],
  staff: ['M4 13a8 8 0 0 1 16 0M4 13v3.5h2.8V13zM20 13v3.5h-2.8V13zM18.5 16.5c0 2.5-2 3.5-5 3.5'],
  caution: ['M12 4L2.8 20h18.4zM12 10v4.5M12 17.2v.1'],
  info: ['M12 3.5a8.5 8.5 0 1 0 0 17a8.5 8.5 0 0 0 0-17M12 11v5.5M12 7.5v.1'],
  eraser: ['M8.5 5.5H21v13H8.5L3 12zM12 9.5l5 5M17 9.5l-5 5'],
  shield: ['M12 3l7.5 3v5.5c0 4.5-3 8-7.5 9.5c-4.5-1.5-7.5-5-7.5-9.5V6zM8.5 12l2.5 2.5l4.5-5'],
} as const;
export type IconName = keyof typeof PATHS;

export function Icon({ name, className }: { name: IconName; className?: string }) {
  return (
    <svg
      className={['icon', className].filter(Boolean).join(' ')}
      viewBox="0 0 24 24"
      aria-hidden="true"
      focusable="false"
    >
      {PATHS[name].map((path) => (
        <path key={path} d={path} />
      ))}
    </svg>
  );
}
