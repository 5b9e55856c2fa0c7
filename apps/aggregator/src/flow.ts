/* What a flow module may want to name; `docs/flows.md` shows one. */
export { provenance } from "./row-of.ts";

export type { FlowOf, FlowParts } from "./flows/flow-parts.ts";
export type { Provenance } from "./row-of.ts";
