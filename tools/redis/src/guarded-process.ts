import { spawn } from "node:child_process";
import { once } from "node:events";
import { Socket } from "node:net";

/*
 * A shell script guards the server. It has the reading end of a pipe whose writing end only this process has: at end of
 * file (after any end of this process, kill -9 included) it kills the server and removes the directory. It runs in a
 * session of its own and not as a child, so that neither Ctrl-C nor a kill of the process tree reaches the server while
 * this process drains.
 *
 * stdout: "<pid> <directory>", then open until everything is cleaned up; 3: open while the server lives; 4: our pipe
 * (not stdin, which Node closes when the first shell ends). $1: directory, or "" for a new one; $2: "keep" or
 * "remove" it at the end; the rest: the command.
 */
const GUARDIAN = `
  {
    dir=$1 at_end=$2
    shift 2
    if [ -z "$dir" ]; then dir=$(mktemp -d "\${TMPDIR:-/tmp}/millrace-redis.XXXXXX"); fi
    mkdir -p "$dir" && cd "$dir" || exit 1
    "$@" </dev/null >&3 2>&3 3>&- 4<&- &
    server=$! dir=$PWD
    exec 3>&-
    trap '' HUP INT TERM
    echo "$server $dir"
    read -r order <&4 && at_end=$order
    kill -KILL "$server"
    wait "$server"
    cd /
    if [ "$at_end" = remove ]; then rm -rf "$dir"; fi
  } &
`;

/** Bytes of the server's own output that are kept for error messages. */
const OUTPUT_LIMIT = 4_096;

/** Whether to keep or remove the working directory at the end. */
export type DirectoryFate = "keep" | "remove";

/** The working directory of a guarded process, and whether to remove it. */
export interface GuardedProcessOptions {
  /** Working directory, created if missing. `@default a new temporary directory` */
  readonly dir?: string | undefined;
  /** Whether to keep or remove `dir` at the end, also if this process is killed. */
  readonly atEnd: DirectoryFate;
}

/** A server process that does not outlive this one. */
export class GuardedProcess {
  readonly pid: number;
  /** Its working directory, absolute. */
  readonly dir: string;
  /** Resolves when the process has ended, for any reason. */
  readonly ended: Promise<void>;
  readonly #cleanedUp: Promise<void>;
  readonly #pipes: Pipes;
  #output = "";

  /** Starts `command` and resolves once it has a process id. */
  static async start(command: readonly string[], options: GuardedProcessOptions): Promise<GuardedProcess> {
    const child = spawn("sh", ["-c", GUARDIAN, "guardian", options.dir ?? "", options.atEnd, ...command], {
      detached: true,
      stdio: ["ignore", "pipe", "ignore", "pipe", "pipe"],
    });
    await once(child, "spawn");
    child.unref();
    const [, report, , life, lifeline] = child.stdio;
    if (!(lifeline instanceof Socket && report instanceof Socket && life instanceof Socket)) {
      throw new TypeError("the pipes of a child process are sockets");
    }
    const [, pid, dir] = /^(\d+) (.+)\n/.exec(await firstLine(report)) ?? [];
    if (pid === undefined || dir === undefined) {
      const where = options.dir ?? "a temporary directory";
      throw new Error(`could not start ${command.join(" ")} in ${where}`);
    }
    return new GuardedProcess(Number(pid), dir, { lifeline, report, life });
  }

  private constructor(pid: number, dir: string, pipes: Pipes) {
    this.pid = pid;
    this.dir = dir;
    this.#pipes = pipes;
    this.ended = closed(pipes.life);
    this.#cleanedUp = closed(pipes.report);
    pipes.life.setEncoding("utf8").on("data", (text: string) => {
      this.#output = (this.#output + text).slice(-OUTPUT_LIMIT);
    });
    // Errors of either pipe are ignored: "close" follows.
    for (const pipe of Object.values<Socket>(pipes)) pipe.on("error", () => undefined);
    this.#holdLoop(false);
  }

  /** The last output of the process. */
  get output(): string {
    return this.#output;
  }

  /** Sends a signal to the process; does nothing if it has ended. */
  kill(signal: NodeJS.Signals): void {
    if (!this.#pipes.life.readableEnded) process.kill(this.pid, signal);
  }

  /** Like `ended`, but keeps this process alive until then. */
  gone(): Promise<void> {
    this.#pipes.life.ref();
    return this.ended;
  }

  /** Kills the process if it lives; resolves when it has ended and its directory was kept or removed. */
  async end(fate?: DirectoryFate): Promise<void> {
    this.#holdLoop(true);
    this.#pipes.lifeline.end(fate === undefined ? "" : `${fate}\n`);
    await this.#cleanedUp;
    await this.ended;
  }

  /** Lets this process end even if it does not stop its server. */
  #holdLoop(hold: boolean): void {
    for (const pipe of Object.values<Socket>(this.#pipes)) {
      if (hold) pipe.ref();
      else pipe.unref();
    }
  }
}

/** This process's ends, in the order of {@link GUARDIAN}'s comment. */
type Pipes = Readonly<Record<"lifeline" | "report" | "life", Socket>>;

/** Reads up to the first line end, or to the end of the pipe. Leaves the pipe flowing. */
async function firstLine(report: Socket): Promise<string> {
  let text = "";
  return new Promise((resolve) => {
    report.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      if (text.includes("\n")) resolve(text);
    });
    report.once("close", () => {
      resolve(text);
    });
  });
}

async function closed(pipe: Socket): Promise<void> {
  if (pipe.closed) return;
  await new Promise((resolve) => pipe.once("close", resolve));
}
