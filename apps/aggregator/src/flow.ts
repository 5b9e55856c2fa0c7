/* What a flow module may want to name; `docs/flows.md` shows one. */
export { provenance } from "@millrace/command/flow";

export type { FlowOf, FlowParts, Provenance } from "@millrace/command/flow";
