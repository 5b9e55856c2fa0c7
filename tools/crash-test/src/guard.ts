/** What keeps results exact; the test can go without one of them, and must fail then. */
export const GUARDS = ["fence", "commit-number", "duplicate-numbers", "flush"] as const;

/** One of {@link GUARDS}. */
export type Guard = (typeof GUARDS)[number];
