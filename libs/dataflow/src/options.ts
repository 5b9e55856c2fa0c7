/* What a program needs to read its options and to report an error, without the graph and the runtime. */
// For users whose compiler includes no types on its own: some signatures have types of Node.
/// <reference types="node" preserve="true" />
export {
  DrainTimeoutError,
  FencedError,
  MillraceError,
  SinkError,
  hasCode,
  messageOf,
  thrownAt,
} from "./errors.ts";
export { STDERR_LINES } from "./log-lines.ts";
export { withDefaults } from "./with-defaults.ts";
