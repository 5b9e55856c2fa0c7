import type { Death } from "../aggregator/death.ts";
import type { Random } from "./random.ts";

/** `paged`: many small commits, windows close in several pages; `large`: few commits, of several pieces each. */
export type CommitMode = "paged" | "large";

/** How a fault needs the aggregator to be started. */
export interface AggregatorNeeds {
  /** `undefined`: any. */
  readonly mode: CommitMode | undefined;
  readonly death: Death | undefined;
}

/** How an aggregator was started. */
export interface AggregatorSetup extends AggregatorNeeds {
  readonly mode: CommitMode;
}

const COMMITS: Readonly<Record<CommitMode, readonly string[]>> = {
  paged: ["--page-size=50", "--commit-every-events=200", "--commit-every-ms=200"],
  large: ["--page-size=1000000", "--commit-every-events=1500", "--commit-every-ms=10000"],
};

/** Picks a mode at random if the fault does not need one. */
export function setUp({ mode, death }: AggregatorNeeds, random: Random): AggregatorSetup {
  return { mode: mode ?? random.pick(["paged", "large"]), death };
}

/** Whether the running aggregator can be kept. One with a fail point is used for one fault only. */
export function suits(setup: AggregatorSetup, needs: AggregatorNeeds): boolean {
  return (
    setup.death === undefined &&
    needs.death === undefined &&
    (needs.mode === undefined || needs.mode === setup.mode)
  );
}

/** Formats the setup as options of the program. */
export function argsOf({ mode, death }: AggregatorSetup): readonly string[] {
  return [...COMMITS[mode], ...(death === undefined ? [] : [`--die-at=${death.place}:${death.passes}`])];
}
