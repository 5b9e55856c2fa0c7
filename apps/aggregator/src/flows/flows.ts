import type { Dataflow } from "@millrace/dataflow";
import { echo } from "./echo.ts";
import type { FlowParts } from "./flow-parts.ts";
import { mobileCounts } from "./mobile-counts.ts";

/** Names that `--flow` knows. */
export const FLOW_NAMES = ["mobile-counts", "echo"] as const;

export type FlowName = (typeof FLOW_NAMES)[number];

/** The flows by name: a new one is a file beside this one, and a line here. */
export const FLOWS: Readonly<Record<FlowName, (parts: FlowParts<unknown>) => Dataflow>> = {
  "mobile-counts": mobileCounts,
  echo,
};
