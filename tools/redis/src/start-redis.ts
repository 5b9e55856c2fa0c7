import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { RedisRefusal, ask } from "./ask.ts";
import type { RedisAddress } from "./ask.ts";
import { findRedisServer } from "./find-redis-server.ts";
import { freePort, onFreePorts } from "./free-port.ts";
import { GuardedProcess } from "./guarded-process.ts";
import { noteOwner } from "./owner.ts";
import { LocalRedisError } from "./local-redis-error.ts";

/** Loopback only, IPv4 and IPv6 if available; no persistence by default. */
const BASE_ARGS = ["--bind", "127.0.0.1", "-::1", "--save", "", "--appendonly", "no", "--daemonize", "no"];
const LOG_FILE = "redis.log";
/** A Sentinel stores its state in its configuration file, so it needs one. */
const SENTINEL = (program: string): readonly string[] => [
  "sh",
  "-c",
  ': >>sentinel.conf && exec "$0" sentinel.conf "$@" --sentinel',
  program,
];
const LOG_TAIL_LENGTH = 2_048;
const READY_RETRY_MS = 5;
/** How long a server with persistence may take to write its data before it is killed. */
const SHUTDOWN_TIMEOUT_MS = 5_000;

/** Options of a local Redis. */
export interface LocalRedisOptions {
  /** TCP port. `@default a free port` */
  readonly port?: number;
  /**
   * Further server arguments, such as `["--appendonly", "yes", "--appendfsync", "always"]`. For a password use the option
   * `password`.
   * `@default [] (nothing is persisted)`
   */
  readonly args?: readonly string[];
  /**
   * Working directory of the server, created if missing and kept at the end.
   * `@default a temporary directory, removed at the end`
   */
  readonly dir?: string;
  /** Password of the default user. `@default none` */
  readonly password?: string;
  /** A data server, or a Sentinel, which monitors no master at first. `@default "server"` */
  readonly mode?: "server" | "sentinel";
  /** How long (ms) the server may take to answer. `@default 10_000` */
  readonly startTimeoutMs?: number;
  /** Stops the server when aborted, also during the start. */
  readonly signal?: AbortSignal;
}

/**
 * A Redis server that belongs to this process. It always ends with this process, also after kill -9, and its temporary
 * directory is removed. It does not keep this process alive.
 */
export interface LocalRedis extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** `redis://…`, with the password if there is one. */
  readonly url: string;
  /** Process id; changes with {@link restart}. */
  readonly pid: number;
  /** Working directory, with the persistence files. */
  readonly dir: string;
  /** Resolves when the running server has ended, for any reason. */
  readonly ended: Promise<void>;
  /** Sends a signal. If that ends the server, resolves when it has ended. `@default "SIGKILL"` */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /**
   * Restarts the server with the same port, directory and arguments.
   * @throws LocalRedisError REDIS_STOPPED after {@link stop}, else as {@link startRedis}
   */
  restart(): Promise<void>;
  /** Stops the server and cleans up. Can be called any number of times; each call resolves when everything is done. */
  stop(): Promise<void>;
}

/**
 * Starts a Redis (or Valkey) server on the loopback interface and resolves when it answers.
 *
 * @throws LocalRedisError REDIS_SERVER_NOT_FOUND, REDIS_SERVER_TOO_OLD, REDIS_SERVER_UNUSABLE,
 *   REDIS_PORT_TAKEN (only for a given port), REDIS_START_FAILED; the signal's reason
 */
export async function startRedis(options: LocalRedisOptions = {}): Promise<LocalRedis> {
  options.signal?.throwIfAborted();
  const program = findRedisServer().path;
  const start = async (port: number): Promise<LocalRedis> => {
    const launch = { program, port, options };
    return new GuardedRedis(launch, await launchServer(launch, options.dir));
  };
  return options.port === undefined ? onFreePorts(async () => start(await freePort())) : start(options.port);
}

interface Launch {
  readonly program: string;
  readonly port: number;
  readonly options: LocalRedisOptions;
}

class GuardedRedis implements LocalRedis {
  readonly host: string = "127.0.0.1";
  readonly port: number;
  readonly url: string;
  readonly #launch: Launch;
  #process: GuardedProcess;
  #stopped: Promise<void> | undefined;

  constructor(launch: Launch, process: GuardedProcess) {
    const { password, signal } = launch.options;
    const user = password === undefined ? "" : `:${encodeURIComponent(password)}@`;
    this.port = launch.port;
    this.url = `redis://${user}${this.host}:${this.port}`;
    this.#launch = launch;
    this.#process = process;
    signal?.addEventListener("abort", () => void this.stop(), { once: true });
  }

  get pid(): number {
    return this.#process.pid;
  }

  get dir(): string {
    return this.#process.dir;
  }

  get ended(): Promise<void> {
    return this.#process.ended;
  }

  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    this.#process.kill(signal);
    if (["SIGKILL", "SIGTERM", "SIGINT"].includes(signal)) await this.#process.gone();
  }

  async restart(): Promise<void> {
    if (this.#stopped !== undefined) {
      throw new LocalRedisError(
        "REDIS_STOPPED",
        `the Redis on port ${this.port} is stopped; start a new one`,
      );
    }
    // Keep persisted data for the restart, even in a temporary directory.
    await this.#saveAndEnd();
    await this.#process.end("keep");
    this.#process = await launchServer(this.#launch, this.#process.dir);
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stop(): Promise<void> {
    if (this.#launch.options.dir !== undefined) await this.#saveAndEnd();
    await this.#process.end();
  }

  /** Gives the server time to write its persistent data. */
  async #saveAndEnd(): Promise<void> {
    this.#process.kill("SIGTERM");
    this.#process.kill("SIGCONT");
    await Promise.race([this.#process.gone(), delay(SHUTDOWN_TIMEOUT_MS, undefined, { ref: false })]);
  }
}

async function launchServer(
  { program, port, options }: Launch,
  dir: string | undefined,
): Promise<GuardedProcess> {
  const { password, args = [], mode = "server", startTimeoutMs = 10_000 } = options;
  const secret = password === undefined ? [] : ["--requirepass", password];
  const server = mode === "sentinel" ? SENTINEL(program) : [program];
  const command = [
    ...server,
    "--port",
    String(port),
    ...BASE_ARGS,
    "--logfile",
    LOG_FILE,
    ...secret,
    ...args,
  ];
  const atEnd = options.dir === undefined ? "remove" : "keep";
  const process = await GuardedProcess.start(command, { dir, atEnd });
  if (atEnd === "remove") await noteOwner(process.dir);
  const deadline = AbortSignal.timeout(startTimeoutMs);
  const limits = options.signal === undefined ? [deadline] : [deadline, options.signal];
  try {
    await answering(process, mode, { host: "127.0.0.1", port, password }, AbortSignal.any(limits));
    return process;
  } catch (error) {
    const story = `${process.output}${await logTail(process.dir)}`.trim();
    await process.end();
    options.signal?.throwIfAborted();
    if (/address already in use/i.test(story)) {
      const message = `Port ${port} is taken by another process. Choose another port, or stop that process.`;
      throw new LocalRedisError("REDIS_PORT_TAKEN", message, { cause: error });
    }
    const why = deadline.aborted ? `did not answer within ${startTimeoutMs} ms` : "ended while starting";
    const message = `${program} on port ${port} ${why}. The end of its log:\n${story || "(empty)"}`;
    throw new LocalRedisError("REDIS_START_FAILED", message, { cause: error });
  }
}

/** Resolves when this process answers on the port and has loaded its data. (On a taken port another process would answer.) */
async function answering(
  process: GuardedProcess,
  mode: "server" | "sentinel",
  address: RedisAddress,
  signal: AbortSignal,
): Promise<void> {
  const over = new AbortController();
  void process.ended.then(() => {
    over.abort(new Error("the server has ended"));
  });
  const limit = AbortSignal.any([signal, over.signal]);
  const wanted = [`process_id:${process.pid}`, ...(mode === "server" ? ["loading:0"] : [])];
  while (!(await answers(wanted, address, limit))) {
    await delay(READY_RETRY_MS, undefined, { signal: limit });
  }
}

async function answers(
  wanted: readonly string[],
  address: RedisAddress,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const info = (await ask(address, ["INFO"], signal)).split("\r\n");
    return wanted.every((line) => info.includes(line));
  } catch (error) {
    signal.throwIfAborted();
    // A server without INFO can only be checked for an answer.
    return error instanceof RedisRefusal && error.message.includes("unknown command");
  }
}

async function logTail(dir: string): Promise<string> {
  try {
    return (await readFile(join(dir, LOG_FILE), "utf8")).slice(-LOG_TAIL_LENGTH);
  } catch {
    return "";
  }
}
