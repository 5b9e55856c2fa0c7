import type { Window } from "@millrace/observe/api";

// Shapes differ as well as colours: a status can be read without seeing colours.

const PATHS = {
  filling: "M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11M8 5v3l2 1.6",
  final: "M3 8.6l3.2 3.2L13 4.6",
  revised: "M13 8a5 5 0 1 1-1.6-3.7M13 2.2v2.9h-2.9",
  incomplete: "M8 2.4 14.3 13.2H1.7zM8 6.6v3M8 11.3v.2",
  defect: "M8 1.8 14.2 8 8 14.2 1.8 8zM8 5.2v3.4M8 10.6v.2",
  ended: "M4.5 4.5h7v7h-7z",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  play: "M5 3.2v9.6L12.6 8z",
  sun: "M8 5.2a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.6M8 1.2v1.4M8 13.4v1.4M1.2 8h1.4M13.4 8h1.4M3.2 3.2l1 1M11.8 11.8l1 1M3.2 12.8l1-1M11.8 4.2l1-1",
  moon: "M13.4 9.6A5.8 5.8 0 0 1 6.4 2.6a5.8 5.8 0 1 0 7 7",
  search: "M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9M10.4 10.4l3.4 3.4",
  hold: "M4 7.2h8v6.3H4zM5.6 7.2V5a2.4 2.4 0 0 1 4.8 0v2.2",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class={`icon icon-${name}`} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** A status as shape, colour and word. */
export function StatusBadge({ status }: { status: Window["status"] }) {
  return (
    <span class={`badge badge-${status}`}>
      <Icon name={status} />
      {status}
    </span>
  );
}

export function Logo() {
  return (
    <svg class="logo" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="8" />
      <path d="M5 12c3.7 0 3.7 3 7.3 3s3.7-3 7.4-3 3.6 3 7.3 3M5 19c3.7 0 3.7 3 7.3 3s3.7-3 7.4-3 3.6 3 7.3 3" />
    </svg>
  );
}
