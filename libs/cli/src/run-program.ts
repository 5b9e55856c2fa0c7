import type { Writable } from "node:stream";
import { DrainTimeoutError, hasCode, messageOf, SinkError, STDERR_LINES } from "@millrace/dataflow/options";
import type { Logger } from "@millrace/dataflow";
import { createLogger } from "./create-logger.ts";
import { EXIT_CODES, exitCodeOf, HelpShown, UnexpectedError, UsageError } from "./errors.ts";
import { DEFAULT_LOG_SETTINGS } from "./log-options.ts";
import type { LogSettings } from "./log-options.ts";

/** Default of `drainTimeoutMs`, ms. */
const DRAIN_TIMEOUT_MS = 5_000;
/** How long (ms) a program may take after that to close its resources and to print; then the process is ended. */
const CLOSE_TIMEOUT_MS = 3_000;
/** How long (ms) open handles may keep the process alive after the program is done. */
const EXIT_GRACE_MS = 500;

/** Configuration that every program has. */
export interface ProgramConfig {
  readonly log: LogSettings;
  /** How long (ms) the program may take to finish its work after a request to stop. @default 5000 */
  readonly drainTimeoutMs?: number;
  /**
   * Whether a Redis may be started for the program where none is there, as `npm run` does. `false`: a new one would be
   * of no use. @default true
   */
  readonly startsRedis?: boolean;
}

/** What a program gets. */
export interface ProgramContext<Config> {
  readonly config: Config;
  readonly logger: Logger;
  /** Aborts at the first request to stop. */
  readonly signal: AbortSignal;
}

/**
 * Runs a program as this process: reads its configuration, gives it a logger and an abort signal, and sets the exit code
 * by the outcome. A failure is logged as one line. See {@link EXIT_CODES}.
 *
 * The process ends after the reader of standard output has read everything, however slow it is. A reader that closes the
 * pipe ends the program without an error; any other write error fails it. After a request to stop the process ends at
 * most 3 s after `drainTimeoutMs`, and reports what is unfinished. An uncaught exception or an unhandled rejection stops
 * the program in the same way, with the exit code of a failure.
 *
 * @param args arguments of the program; `@default` those of the command line
 */
export async function runProgram<Config extends ProgramConfig>(
  name: string,
  readConfig: (args: readonly string[], env: NodeJS.ProcessEnv) => Config | Promise<Config>,
  program: (context: ProgramContext<Config>) => Promise<void>,
  args: readonly string[] = process.argv.slice(2),
): Promise<void> {
  let logger: Logger = createLogger(name, DEFAULT_LOG_SETTINGS);
  let stopTimeoutMs = DRAIN_TIMEOUT_MS + CLOSE_TIMEOUT_MS;
  /** Exit code of a failure outside the program's own promise. */
  let aside: number | undefined;
  let outputFailure: SinkError | undefined;
  let outputSaid = false;
  const stop = new AbortController();
  const gone = new AbortController();
  const stopNow = (reason: Error): void => {
    if (stop.signal.aborted) return;
    stop.abort(reason);
    setTimeout(() => {
      if (gone.signal.aborted) process.exit(aside ?? EXIT_CODES.ok);
      process.exit(Math.max(aside ?? 0, report(name, logger, unfinished(stopTimeoutMs))));
    }, stopTimeoutMs).unref();
  };
  try {
    onOutputEnd(process.stdout, {
      gone: () => {
        gone.abort();
        stopNow(new Error("the reader of standard output closed it"));
      },
      failed: (error) => {
        outputFailure ??= error;
        stopNow(error);
      },
    });
    const uncaught = (error: unknown): void => {
      aside ??= report(name, logger, error);
      stopNow(new Error("an error was not caught", { cause: error }));
    };
    process.on("uncaughtException", uncaught);
    process.on("unhandledRejection", uncaught);
    const config = await readConfig(args, process.env);
    logger = createLogger(name, config.log);
    stopTimeoutMs = (config.drainTimeoutMs ?? DRAIN_TIMEOUT_MS) + CLOSE_TIMEOUT_MS;
    for (const note of config.log.notes ?? []) logger.warn({ event: "option-noted" }, note);
    onStopRequest((reason) => {
      logger.info({ event: "stopping", reason }, `stopping: ${reason}`);
      stopNow(new Error(reason));
    });
    await beforeProgram(config, stop.signal);
    await program({ config, logger, signal: stop.signal });
    process.exitCode = EXIT_CODES.ok;
  } catch (error) {
    // Nothing can be printed after the reader has gone: later failures are consequences of that.
    const asked = gone.signal.aborted || (stop.signal.aborted && error === stop.signal.reason);
    // A sink that reports the same failure has the better message: it names the output.
    if (hasCode(error, SinkError.code) && error !== outputFailure) outputSaid = true;
    process.exitCode = asked ? EXIT_CODES.ok : report(name, logger, error);
  }
  await written(process.stdout);
  if (outputFailure !== undefined && !outputSaid) process.exitCode = report(name, logger, outputFailure);
  if (STDERR_LINES.lost > 0) {
    const { lost } = STDERR_LINES;
    logger.warn({ event: "log-lost", lines: lost }, `${lost} lines of this log could not be written`);
  }
  process.exitCode = aside ?? process.exitCode;
  // A process that ends by itself removes its signal handlers first: one more Ctrl-C would then decide its exit status.
  process.once("beforeExit", () => process.exit());
  endLater(EXIT_GRACE_MS, process.exitCode);
}

/** Resolves when everything written to the stream has left this process, or the stream is broken. */
function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    try {
      // The callback runs after all earlier writes, and also if the stream is broken.
      stream.write("", () => {
        resolve();
      });
    } catch {
      resolve();
    }
  });
}

function unfinished(timeoutMs: number): DrainTimeoutError {
  const { writableLength: left } = process.stdout;
  const output = left === 0 ? "" : `; standard output lacks its last ${left} characters or bytes`;
  return new DrainTimeoutError(
    `the program did not end within ${timeoutMs} ms after it was asked to stop${output}`,
  );
}

/** Logs the failure as one line. @returns the exit code */
function report(name: string, logger: Logger, error: unknown): number {
  if (error instanceof HelpShown) return EXIT_CODES.ok;
  if (error instanceof UsageError) {
    // The user reads it at the prompt: a sentence, not a log line.
    STDERR_LINES.write(`${name}: ${error.message}\nSee ${name} --help for all options.\n`);
  } else {
    const { code, message } = hasCode(error) ? error : new UnexpectedError(error);
    // The message of a known error is enough; for an unexpected error the stack shows the place.
    const stack = error instanceof Error && code === UnexpectedError.code ? { stack: error.stack } : {};
    logger.error({ event: "failed", code, ...stack }, message);
    if (error instanceof Error) logger.debug({ event: "failed", err: error }, "where it failed");
  }
  return exitCodeOf(error);
}

/** A timer as a last resort. It does not keep the process alive. */
function endLater(afterMs: number, code: number): void {
  setTimeout(() => process.exit(code), afterMs).unref();
}

/** A preloaded module cannot import this library, so the two share a symbol of the global registry. */
const KEY = Symbol.for("millrace.before-program");

/**
 * Calls the hook of a preloaded module (`node --import`): a function under `Symbol.for("millrace.before-program")` of the
 * global object. It gets the validated configuration and starts what the program needs.
 *
 * @param stop aborts at the first request to stop; passed on to the hook
 */
async function beforeProgram(config: unknown, stop: AbortSignal): Promise<void> {
  const callback: unknown = Reflect.get(globalThis, KEY);
  if (isCallback(callback)) await callback(config, stop);
}

function isCallback(value: unknown): value is (config: unknown, stop: AbortSignal) => Promise<void> {
  return typeof value === "function";
}

/** Callbacks for a standard output that cannot be written any more. */
interface OutputEnds {
  /** The reader closed the pipe (as `| head` does). */
  readonly gone: () => void;
  /** Any other error, such as a full disk. */
  readonly failed: (error: SinkError) => void;
}

/**
 * Calls back when standard output cannot be written any more. It listens to that stream only: an EPIPE of a socket or a
 * file is an ordinary failure.
 */
function onOutputEnd(stream: Writable, { gone, failed }: OutputEnds): void {
  stream.on("error", (error) => {
    if ("code" in error && error.code === "EPIPE") gone();
    else failed(new SinkError(`standard output cannot be written: ${messageOf(error)}`, { cause: error }));
  });
}

const STOP_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Why a program is asked to stop, for its log. */
type StopReason = (typeof STOP_SIGNALS)[number] | "the parent process is gone";

/**
 * Calls back at the first request to stop: SIGINT, SIGTERM, SIGHUP, or the end of a parent process with an IPC channel.
 * Later requests are ignored, since one Ctrl-C may arrive several times: from the terminal, from a task runner and from
 * the parent.
 */
function onStopRequest(callback: (reason: StopReason) => void): void {
  let stopped = false;
  const stop = (reason: StopReason): void => {
    if (stopped) return;
    stopped = true;
    callback(reason);
  };
  for (const signal of STOP_SIGNALS) {
    process.on(signal, () => {
      stop(signal);
    });
  }
  if (process.channel === undefined) return;
  process.on("disconnect", () => {
    stop("the parent process is gone");
  });
  // Otherwise the listener keeps a program alive that is done.
  process.channel.unref();
}
