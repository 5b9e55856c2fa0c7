/** The guards that keep results exact. The test can switch one off, and must fail then. */
export const GUARDS = ["fence", "commit-number", "duplicate-numbers", "flush", "drain"] as const;

/** One of {@link GUARDS}. */
export type Guard = (typeof GUARDS)[number];
