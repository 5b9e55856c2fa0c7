// For users whose compiler includes no types on its own: some signatures have types of Node.
/// <reference types="node" preserve="true" />
export { runFlowProgram } from "./run-flow-program.ts";
export { runPublisher } from "./publish/run-publisher.ts";
export { millrace } from "./millrace.ts";
export { FlowModuleError } from "./flows/flow-module-error.ts";
export { flowOption } from "./options/flow-options.ts";
export { rowOf } from "./flows/row-of.ts";

export type { FlowCommand, FlowProgram } from "./flow-program.ts";
export type { BuiltInFlow, BuiltInFlows, FlowChoice } from "./flows/flow-choice.ts";
export type { RunConfig } from "./options/run-options.ts";
export type { GraphConfig } from "./commands/graph.ts";
export type { AdminConfig } from "./options/admin-options.ts";
export type { ResetConfig } from "./commands/reset.ts";
export type { PublishConfig, PublishProgram } from "./publish/config.ts";
export type { FlowOf, FlowParts } from "./flows/flow-parts.ts";
export type { FlowOption, FlowOptions, FlowOptionValues } from "./flows/module-options.ts";
export type { Provenance, RowOf } from "./flows/row-of.ts";
