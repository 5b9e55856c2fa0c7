/* How the commands read their options, for the tests of programs that run them. */
// For users whose compiler includes no types on its own: some signatures have types of Node.
/// <reference types="node" preserve="true" />
export { runConfig } from "./options/run-options.ts";
export { graphConfig } from "./commands/graph.ts";
export { inspectConfig } from "./commands/inspect.ts";
export { resetConfig } from "./commands/reset.ts";
export { publishConfig } from "./publish/config.ts";
export { sourceOf } from "./running/source-and-sinks.ts";
