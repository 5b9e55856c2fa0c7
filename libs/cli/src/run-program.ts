import type { Logger } from "@millrace/dataflow";
import { beforeProgram } from "./before-program.ts";
import { onReaderGone } from "./broken-pipe.ts";
import { createLogger } from "./create-logger.ts";
import { EXIT_CODES, exitCodeOf } from "./exit-code.ts";
import { HelpShown } from "./help-shown.ts";
import { DEFAULT_LOG_SETTINGS } from "./log-options.ts";
import type { LogSettings } from "./log-options.ts";
import { onStopRequest } from "./stop-requests.ts";
import { UnexpectedError } from "./unexpected-error.ts";
import { UsageError } from "./usage-error.ts";

/** How long (ms) a program may take from the request to stop until it is done; then it is ended. */
const STOP_TIMEOUT_MS = 8_000;
/** How long (ms) a program that is done may go on for what it has left open. */
const EXIT_GRACE_MS = 500;

/** What every program can be configured with. */
export interface ProgramConfig {
  readonly log: LogSettings;
}

/** What a program works with. */
export interface ProgramContext<Config> {
  readonly config: Config;
  readonly logger: Logger;
  /** Aborts at the first request to stop. */
  readonly signal: AbortSignal;
}

/**
 * Runs a program as the whole of this process: reads its configuration, gives it a logger and a signal to stop by,
 * and turns what becomes of it into an exit code and, where it failed, one clear line. See {@link EXIT_CODES}.
 *
 * The process ends only when a reader of standard output has taken all of it, however slow it is; one that goes away
 * ends the program quietly.
 *
 * @param args the program's own; `@default` all of the command line
 */
export async function runProgram<Config extends ProgramConfig>(
  name: string,
  readConfig: (args: readonly string[], env: NodeJS.ProcessEnv) => Config,
  program: (context: ProgramContext<Config>) => Promise<void>,
  args: readonly string[] = process.argv.slice(2),
): Promise<void> {
  let logger: Logger = createLogger(name, DEFAULT_LOG_SETTINGS);
  const stop = new AbortController();
  const gone = new AbortController();
  try {
    onReaderGone(process.stdout, () => {
      gone.abort();
      stop.abort(new Error("the reader of standard output has gone"));
    });
    // Where nobody reads the log, the work goes on.
    process.stderr.on("error", () => undefined);
    process.on("uncaughtException", (error) => {
      process.exit(report(name, logger, error));
    });
    const config = readConfig(args, process.env);
    logger = createLogger(name, config.log);
    for (const note of config.log.notes ?? []) logger.warn({ event: "option-noted" }, note);
    onStopRequest((reason) => {
      logger.info({ event: "stopping", reason }, `stopping: ${reason}`);
      stop.abort(new Error(reason));
      endLater(STOP_TIMEOUT_MS, EXIT_CODES.failure);
    });
    await beforeProgram(config);
    await program({ config, logger, signal: stop.signal });
    process.exitCode = EXIT_CODES.ok;
  } catch (error) {
    // Nothing can be printed once the reader has gone: whatever fails after that fails for it.
    const asked = gone.signal.aborted || (stop.signal.aborted && error === stop.signal.reason);
    process.exitCode = asked ? EXIT_CODES.ok : report(name, logger, error);
  }
  await written(process.stdout);
  endLater(EXIT_GRACE_MS, process.exitCode);
}

/** Resolves when all that was written to the stream has left this process, or can no longer leave it. */
function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    // Called when everything before it was written, and also when the stream is broken.
    stream.write("", () => {
      resolve();
    });
  });
}

/** Says what went wrong, on one line. @returns the exit code */
function report(name: string, logger: Logger, error: unknown): number {
  if (error instanceof HelpShown) return EXIT_CODES.ok;
  if (error instanceof UsageError) {
    // It is read where it was typed: a sentence, not a log line.
    process.stderr.write(`${name}: ${error.message}\nSee ${name} --help for what there is.\n`);
  } else {
    const { code, message } = isForeseen(error) ? error : new UnexpectedError(error);
    // A message made for people says all; of an unforeseen error only the stack shows where it was.
    const stack = error instanceof Error && code === UnexpectedError.code ? { stack: error.stack } : {};
    logger.error({ event: "failed", code, ...stack }, message);
    if (error instanceof Error) logger.debug({ event: "failed", err: error }, "where it failed");
  }
  return exitCodeOf(error);
}

/** By its code, since the libraries on the ground floor have error classes of their own. */
function isForeseen(error: unknown): error is Error & { readonly code: string } {
  return (
    error instanceof Error &&
    "code" in error &&
    typeof error.code === "string" &&
    error.code.startsWith("MILLRACE_")
  );
}

/** A last resort that does not itself keep the process alive. */
function endLater(afterMs: number, code: number): void {
  setTimeout(() => process.exit(code), afterMs).unref();
}
