import type { Death } from "../aggregator/death.ts";

/** `paged`: many small commits, windows close in several pages; `large`: few commits, of several pieces each. */
export type CommitMode = "paged" | "large";

/** How an aggregator has to be started. */
export interface AggregatorNeeds {
  readonly mode: CommitMode;
  readonly death: Death | undefined;
}

const COMMITS: Readonly<Record<CommitMode, readonly string[]>> = {
  paged: ["--page-size=50", "--commit-every-events=200", "--commit-every-ms=200"],
  large: ["--page-size=1000000", "--commit-every-events=1500", "--commit-every-ms=10000"],
};

/** The same as options of the program. */
export function argsOf({ mode, death }: AggregatorNeeds): readonly string[] {
  return [...COMMITS[mode], ...(death === undefined ? [] : [`--die-at=${death.place}:${death.passes}`])];
}
