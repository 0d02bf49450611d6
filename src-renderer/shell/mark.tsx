/** The mark of 顔パス: a face whose smile is a tick that passes through its outline. */
export function Mark({ className }: { className?: string }) {
  return (
    <svg className={className} viewBox="0 0 64 64" aria-hidden="true" focusable="false">
      <rect width="64" height="64" rx="16" fill="#17407f" />
      <path d="M45.6 22.2A16.5 20 0 1 0 48 36" fill="none" stroke="#fff" strokeWidth="4.6" strokeLinecap="round" />
      <circle cx="26.4" cy="27" r="2.9" fill="#fff" />
      <circle cx="37.6" cy="27" r="2.9" fill="#fff" />
      <path
        d="M23.5 37.5l7.6 7.4L53 19.5"
        fill="none"
        stroke="#ff8f6b"
        strokeWidth="5"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}
