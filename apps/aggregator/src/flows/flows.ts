import type { BuiltInFlows } from "@millrace/command";
import { audience } from "./audience.ts";
import { echo } from "./echo.ts";
import { mobileCounts } from "./mobile-counts.ts";

/** The flows by name, the default first: a new one is a file beside this one, and a line here. */
export const FLOWS: BuiltInFlows = {
  "mobile-counts": { build: mobileCounts },
  audience: { build: audience, showsCompleteness: true },
  echo: { build: echo },
};
