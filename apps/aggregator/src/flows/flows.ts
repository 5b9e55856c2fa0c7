import { audience } from "./audience.ts";
import { echo } from "./echo.ts";
import type { FlowOf } from "./flow-parts.ts";
import { mobileCounts } from "./mobile-counts.ts";

/** Names that `--flow` knows. */
export const FLOW_NAMES = ["mobile-counts", "audience", "echo"] as const;

export type FlowName = (typeof FLOW_NAMES)[number];

/** The flows by name: a new one is a file beside this one, and a line here. */
export const FLOWS: Readonly<Record<FlowName, FlowOf>> = {
  "mobile-counts": mobileCounts,
  audience,
  echo,
};
