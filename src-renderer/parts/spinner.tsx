import './spinner.css';

/** Says "something is being done". Who asked for less motion sees it breathe instead of turn. */
export function Spinner() {
  return (
    <svg className="spinner" viewBox="0 0 100 100" aria-hidden="true" focusable="false">
      <circle className="spinner-track" cx="50" cy="50" r="42" />
      <circle className="spinner-arc" cx="50" cy="50" r="42" pathLength="100" />
    </svg>
  );
}
