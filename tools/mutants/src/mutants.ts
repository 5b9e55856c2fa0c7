import { DATAFLOW } from "./list/dataflow.ts";
import { REDIS_SOURCE } from "./list/redis-source.ts";
import { REDIS_STORE } from "./list/redis-store.ts";
import { WINDOWING } from "./list/windowing.ts";
import type { Mutant } from "./mutant.ts";

/** A mutant for each guard that a comment promises and that tests could easily miss. */
export const MUTANTS: readonly Mutant[] = [...WINDOWING, ...DATAFLOW, ...REDIS_SOURCE, ...REDIS_STORE];
