// For users whose compiler includes no types on its own: some signatures have types of Node.
/// <reference types="node" preserve="true" />
export { CommandLine } from "./command-line.ts";
export { EXIT_CODES, UnexpectedError, UsageError } from "./errors.ts";
export { boolean, integer, listOf, notNegative, oneOf, positive, text } from "./parsers.ts";
export { drainOption } from "./drain-option.ts";
export { findFile } from "./parsers.ts";
export { createLogger } from "./create-logger.ts";
export { logOptions } from "./log-options.ts";
export { secretOption } from "./secret-option.ts";
export { redisOptions } from "./redis-options.ts";
export { kafkaOptions } from "./kafka-options.ts";
export { runProgram } from "./run-program.ts";
export {
  inputOptions,
  streamFieldOption,
  transportOptions,
  withoutLog,
  withoutStream,
} from "./transport-options.ts";

export type { LogLevel, LogSettings } from "./log-options.ts";
export type { LogStream } from "./create-logger.ts";
export type { OptionSpec, Value } from "./command-line.ts";
export type { Parser } from "./parsers.ts";
export type { KafkaOptionContext, KafkaSettings, KafkaUser } from "./kafka-options.ts";
export type { ProgramConfig, ProgramContext } from "./run-program.ts";
export type { InputSettings, Transport, TransportDefaults, TransportSettings } from "./transport-options.ts";
