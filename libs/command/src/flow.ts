/* What a flow module may want to name; `docs/flows.md` shows one. */
export { provenance } from "./flows/row-of.ts";

export type { FlowOf, FlowParts } from "./flows/flow-parts.ts";
export type { FlowOption, FlowOptions, FlowOptionValues } from "./flows/module-options.ts";
export type { Provenance } from "./flows/row-of.ts";
