import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";

/** A line of a program's log. */
export interface LogLine {
  readonly level: string;
  readonly event?: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** How a program ended. */
export interface ProgramEnd {
  /** `null`: ended by a signal. */
  readonly code: number | null;
  /** Lines of standard output; none if it goes to a file. */
  readonly output: readonly string[];
  readonly log: readonly LogLine[];
  /** Standard error without the log lines. */
  readonly complaints: readonly string[];
}

/** Options of {@link startProcess}. */
export interface StartProcessOptions {
  /** Added to this process' environment; `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Text for standard input, or a stream that can stay open. `@default none` */
  readonly input?: string | Uint8Array | Readable;
  /** In a process group of its own, so that Ctrl-C in this terminal does not reach it. `@default false` */
  readonly detached?: boolean;
  /** File or device for standard output. `@default a pipe to this process` */
  readonly outputTo?: string;
  /** Called with each line of standard output. */
  readonly onOutput?: (line: string) => void;
  readonly onLog?: (line: LogLine) => void;
}

/** Options of {@link startProgram}. */
export interface StartProgramOptions extends StartProcessOptions {
  readonly args?: readonly string[];
}

/** A Millrace program as a child process. */
export interface StartedProgram {
  readonly pid: number | undefined;
  readonly ended: Promise<ProgramEnd>;
  /**
   * Resolves with the first log line with this event that passes the test, if given; earlier lines count too.
   *
   * @throws Error when the program ends without one
   */
  logged(event: string, test?: (line: LogLine) => boolean): Promise<LogLine>;
  /** Resolves with the first line of output that passes; earlier lines count too. Throws as `logged`. */
  printed(test: (line: string) => boolean): Promise<string>;
  /** Sends a signal. @returns false if the program is gone */
  kill(signal: NodeJS.Signals): boolean;
  /** Stops reading its standard output, so that the program has to wait once the pipe is full. */
  pauseOutput(): void;
  /** Continues reading, as the end of the program does too. */
  resumeOutput(): void;
  /** Closes the reading end of its standard output, as `| head` does. */
  closeOutput(): void;
}

/**
 * Starts a program from its source (`main.ts`) or its build (`main.js`), and parses its log. The program stops when this
 * process ends for any reason.
 */
export function startProgram(
  main: string,
  { args = [], ...options }: StartProgramOptions = {},
): StartedProgram {
  const loader = main.endsWith(".ts") ? ["--conditions=@millrace/source", "--import", "tsx"] : [];
  return startProcess(process.execPath, [...loader, main, ...args], options);
}

/** Starts any other program in the same way. The program must end with its IPC channel, or by itself. */
export function startProcess(
  command: string,
  args: readonly string[],
  options: StartProcessOptions = {},
): StartedProgram {
  const file = options.outputTo === undefined ? undefined : openSync(options.outputTo, "w");
  const child = spawn(command, args, {
    // Node options of this process may be wrong for another program.
    env: { ...process.env, NODE_OPTIONS: undefined, MILLRACE_LOG_FORMAT: "json", ...options.env },
    stdio: ["pipe", file ?? "pipe", "pipe", "ipc"],
    detached: options.detached ?? false,
  });
  if (file !== undefined) closeSync(file);
  const { stdin, stdout, stderr } = child;
  if (stdin === null || stderr === null) throw new TypeError("input and log are pipes");
  // A program that does not read its input may end before everything is written.
  stdin.on("error", () => undefined);
  if (options.input instanceof Readable) options.input.pipe(stdin);
  else stdin.end(options.input ?? "");

  const output = new Feed<string>();
  const log = new Feed<LogLine>();
  const complaints: string[] = [];
  if (options.onOutput !== undefined) output.listen(options.onOutput);
  if (options.onLog !== undefined) log.listen(options.onLog);
  if (stdout !== null) {
    eachLine(stdout, (line) => {
      output.add(line);
    });
  }
  eachLine(stderr, (line) => {
    const entry = asLogLine(line);
    if (entry === undefined) complaints.push(line);
    else log.add(entry);
  });
  const ended = new Promise<ProgramEnd>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      resolve({ code, output: output.items, log: log.items, complaints });
    });
  });
  const story = ended.then(({ code, log: lines, complaints: others }) => {
    const last = [...others, ...lines.map(({ msg }) => msg)].slice(-3).join(" | ");
    return new Error(
      `${[command, ...args].join(" ")} ended with exit code ${String(code)} before that: ${last}`,
    );
  });
  // The error matters only to callers that wait for a line.
  story.catch(() => undefined);
  return {
    pid: child.pid,
    ended,
    logged: (event, test = () => true) => log.first((line) => line.event === event && test(line), story),
    printed: (test) => output.first(test, story),
    kill: (signal) => child.kill(signal),
    pauseOutput: () => stdout?.pause(),
    resumeOutput: () => stdout?.resume(),
    closeOutput: () => stdout?.destroy(),
  };
}

/** Collects items and passes them to each listener. */
class Feed<T> {
  readonly items: T[] = [];
  readonly #listeners = new Set<(item: T) => void>();

  add(item: T): void {
    this.items.push(item);
    for (const listener of this.#listeners) listener(item);
  }

  listen(listener: (item: T) => void): void {
    this.#listeners.add(listener);
  }

  /** Resolves with the first item that passes; `over` rejects with the reason if there will be none. */
  async first(test: (item: T) => boolean, over: Promise<Error>): Promise<T> {
    return await new Promise<T>((resolve, reject) => {
      const listener = (item: T): void => {
        if (!test(item)) return;
        this.#listeners.delete(listener);
        resolve(item);
      };
      this.#listeners.add(listener);
      for (const item of this.items) listener(item);
      over.then(reject, reject);
    });
  }
}

function eachLine(stream: Readable, listener: (line: string) => void): void {
  createInterface({ input: stream, crlfDelay: Infinity }).on("line", listener);
}

function asLogLine(line: string): LogLine | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const entry: unknown = JSON.parse(line);
    return isLogLine(entry) ? entry : undefined;
  } catch {
    return undefined;
  }
}

function isLogLine(value: unknown): value is LogLine {
  return typeof value === "object" && value !== null && "level" in value && "msg" in value;
}
