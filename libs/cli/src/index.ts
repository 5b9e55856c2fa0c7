export { CommandLine } from "./command-line.ts";
export { DURATION_FORM, parseDuration } from "./duration.ts";
export { EXIT_CODES } from "./exit-code.ts";
export { UsageError } from "./usage-error.ts";
export { boolean, integer, notNegative, oneOf, positive, text } from "./parsers.ts";
export { createLogger } from "./create-logger.ts";
export { logOptions } from "./log-options.ts";
export { redisOptions } from "./redis-options.ts";
export { runProgram } from "./run-program.ts";
export { startProgram } from "./start-program.ts";

export type { LogLevel, LogSettings } from "./log-options.ts";
export type { LogStream } from "./create-logger.ts";
export type { OptionSpec, Value } from "./command-line.ts";
export type { Parser } from "./parsers.ts";
export type { ProgramConfig, ProgramContext } from "./run-program.ts";
export type { LogLine, ProgramEnd, StartedProgram, StartProgramOptions } from "./start-program.ts";
export type { RedisSettings } from "./redis-options.ts";
