/* What a flow module may want to name; `docs/flows.md` shows one. */
export { provenance } from "./result-row.ts";

export type { FlowOf, FlowParts } from "./flows/flow-parts.ts";
export type { Provenance, Reporter, ResultRow } from "./result-row.ts";
