import { spawn } from "node:child_process";
import { once } from "node:events";
import { Socket } from "node:net";

/*
 * A small shell stands between this process and the server. It holds the reading end of a pipe whose writing
 * end only this process has: at its end of file (however this process ended, kill -9 included) it kills the
 * server and removes the directory. It runs in a session of its own and not as our child, so that neither
 * Ctrl-C nor a killer of process trees reaches the server while we still drain.
 *
 * stdout: "<pid> <directory>", then open until all is cleaned up; 3: open while the server lives; 4: our pipe
 * (not stdin, which Node closes when the first shell ends). $1: directory, or "" for a fresh one; $2: "keep" or
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

/** What becomes of the working directory when the process is ended. */
export type DirectoryFate = "keep" | "remove";

/** Where a guarded process works and what becomes of that place. */
export interface GuardedProcessOptions {
  /** Working directory, made if missing. `@default a fresh temporary directory` */
  readonly dir?: string | undefined;
  /** What becomes of `dir` at the end, also when this process is killed. */
  readonly atEnd: DirectoryFate;
}

/** A server process that does not outlive this one. */
export class GuardedProcess {
  readonly pid: number;
  /** Its working directory, absolute. */
  readonly dir: string;
  /** Resolves when the process has ended, for whatever reason. */
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
    // Whichever end breaks: "close" follows, and that is what counts.
    for (const pipe of Object.values<Socket>(pipes)) pipe.on("error", () => undefined);
    this.#holdLoop(false);
  }

  /** The end of what the process printed. */
  get output(): string {
    return this.#output;
  }

  /** Sends a signal to the process; does nothing if it has ended. */
  kill(signal: NodeJS.Signals): void {
    if (!this.#pipes.life.readableEnded) process.kill(this.pid, signal);
  }

  /** As `ended`, but keeps this process alive meanwhile. */
  gone(): Promise<void> {
    this.#pipes.life.ref();
    return this.ended;
  }

  /** Kills the process if it lives; resolves when it is gone and its directory has met its fate. */
  async end(fate?: DirectoryFate): Promise<void> {
    this.#holdLoop(true);
    this.#pipes.lifeline.end(fate === undefined ? "" : `${fate}\n`);
    await this.#cleanedUp;
    await this.ended;
  }

  /** A program that forgets to stop its server shall still come to its end. */
  #holdLoop(hold: boolean): void {
    for (const pipe of Object.values<Socket>(this.#pipes)) {
      if (hold) pipe.ref();
      else pipe.unref();
    }
  }
}

/** This process's ends, in the order of {@link GUARDIAN}'s comment. */
type Pipes = Readonly<Record<"lifeline" | "report" | "life", Socket>>;

/** Everything up to the first line end, or less if the pipe closes before. Leaves the pipe flowing. */
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
