import { setTimeout as delay } from "node:timers/promises";
import { ask } from "./ask.ts";
import { LocalRedisError } from "./local-redis-error.ts";
import { startRedis } from "./start-redis.ts";
import type { LocalRedis } from "./start-redis.ts";

const POLL_MS = 20;
/** Timeout for changes on which the servers must agree. */
const CHANGE_MS = 20_000;
/** Intervals that are one or ten seconds by default, shortened for tests. */
// A replica can be promoted only if it answered within five ping periods, so these must not be too short.
const QUICK = ["info-period", "200", "ping-period", "400", "publish-period", "200", "ask-period", "100"];

/** Options of a master, its replicas and their Sentinels. */
export interface LocalRedisSentinelOptions {
  /** Name of the master at the Sentinels. `@default "mymaster"` */
  readonly masterName?: string;
  /** @default 1 */
  readonly replicas?: number;
  /** @default 3 */
  readonly sentinels?: number;
  /** How long (ms) a master must be silent before the Sentinels consider it down. `@default 500` */
  readonly downAfterMs?: number;
  /** Password of the Sentinels themselves. `@default none` */
  readonly sentinelPassword?: string;
  /** Further arguments of every data server. `@default []` */
  readonly args?: readonly string[];
  /** How long (ms) the servers may take to find each other; they need about two seconds. `@default 20_000` */
  readonly startTimeoutMs?: number;
}

/** A master with replicas and Sentinels on the loopback interface, as short-lived as {@link LocalRedis}. */
export interface LocalRedisSentinel extends AsyncDisposable {
  readonly masterName: string;
  /** The data servers; the first one is the master at the start. */
  readonly nodes: readonly LocalRedis[];
  readonly sentinels: readonly LocalRedis[];
  /** `redis+sentinel://…` with all Sentinels and the master's name; without a password. */
  readonly url: string;
  /** The data server that most Sentinels report as master now. */
  master(): Promise<LocalRedis>;
  /** Kills the master, and resolves when all Sentinels report another data server as master. */
  failOver(): Promise<LocalRedis>;
  /** Resolves with the new master when all Sentinels report another one than this. */
  successorOf(old: LocalRedis): Promise<LocalRedis>;
  /** Waits until a replica has all data, then stops replication; the replicas can still be promoted. */
  stopReplication(): Promise<void>;
  /** Stops all servers. Can be called any number of times. */
  stop(): Promise<void>;
}

/**
 * Starts all servers and resolves when every Sentinel knows the replicas and the other Sentinels.
 *
 * @throws LocalRedisError as {@link startRedis}, and REDIS_START_FAILED if they do not find each other
 */
export async function startRedisSentinel(
  options: LocalRedisSentinelOptions = {},
): Promise<LocalRedisSentinel> {
  const { replicas = 1, sentinels = 3, args = [], startTimeoutMs = 20_000 } = options;
  const started: LocalRedis[] = [];
  const start = async (count: number, how: Parameters<typeof startRedis>[0]): Promise<LocalRedis[]> => {
    const servers = await Promise.all(Array.from({ length: count }, () => startRedis(how)));
    started.push(...servers);
    return servers;
  };
  const data = [...args, "--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"];
  try {
    const [master] = await start(1, { args: data });
    if (master === undefined) throw new TypeError("one server was started");
    const replicaOf = ["--replicaof", master.host, String(master.port)];
    const followers = await start(replicas, { args: [...data, ...replicaOf] });
    const { sentinelPassword: password } = options;
    const watchers = await start(sentinels, {
      mode: "sentinel",
      ...(password === undefined ? {} : { password, args: ["--sentinel", "sentinel-pass", password] }),
    });
    const group = new SentinelGroup([master, ...followers], watchers, options);
    await group.form(AbortSignal.timeout(startTimeoutMs));
    return group;
  } catch (error) {
    await Promise.all(started.map((server) => server.stop()));
    if (!(error instanceof Error && error.name === "TimeoutError")) throw error;
    const message = `the Sentinels did not find each other within ${startTimeoutMs} ms. Raise startTimeoutMs, or reduce the load of the machine.`;
    throw new LocalRedisError("REDIS_START_FAILED", message, { cause: error });
  }
}

class SentinelGroup implements LocalRedisSentinel {
  readonly masterName: string;
  readonly nodes: readonly LocalRedis[];
  readonly sentinels: readonly LocalRedis[];
  readonly url: string;
  readonly #password: string | undefined;
  readonly #downAfterMs: number;

  constructor(
    nodes: readonly LocalRedis[],
    sentinels: readonly LocalRedis[],
    { masterName = "mymaster", downAfterMs = 500, sentinelPassword }: LocalRedisSentinelOptions,
  ) {
    this.nodes = nodes;
    this.sentinels = sentinels;
    this.masterName = masterName;
    this.url = `redis+sentinel://${sentinels.map(({ host, port }) => `${host}:${port}`).join(",")}/${masterName}`;
    this.#password = sentinelPassword;
    this.#downAfterMs = downAfterMs;
  }

  async form(signal: AbortSignal): Promise<void> {
    const [master] = this.nodes;
    if (master === undefined) return;
    const name = this.masterName;
    const quorum = String(Math.floor(this.sentinels.length / 2) + 1);
    for (const sentinel of this.sentinels) {
      await this.#ask(sentinel, ["SENTINEL", "DEBUG", ...QUICK], signal);
      const monitor = ["SENTINEL", "MONITOR", name, master.host, String(master.port), quorum];
      await this.#ask(sentinel, monitor, signal);
      const settings = ["down-after-milliseconds", String(this.#downAfterMs), "failover-timeout", "1500"];
      await this.#ask(sentinel, ["SENTINEL", "SET", name, ...settings], signal);
    }
    const complete = `,slaves=${this.nodes.length - 1},sentinels=${this.sentinels.length}`;
    await this.#all((line) => line.includes("status=ok,") && line.endsWith(complete), signal);
    const inStep = this.nodes.slice(1);
    for (;;) {
      const info = await ask(master, ["INFO", "replication"], signal);
      if (inStep.every(({ port }) => info.includes(`port=${port},state=online`))) return;
      await delay(POLL_MS, undefined, { signal });
    }
  }

  async master(): Promise<LocalRedis> {
    const signal = AbortSignal.timeout(CHANGE_MS);
    const votes = await Promise.all(this.sentinels.map((sentinel) => this.#look(sentinel, signal)));
    const named = this.nodes.map((node) => votes.filter((line) => names(line, node)).length);
    const winner = this.nodes[named.indexOf(Math.max(...named))];
    if (winner === undefined) throw new TypeError("there is a data server");
    return winner;
  }

  async failOver(): Promise<LocalRedis> {
    const old = await this.master();
    await old.kill();
    return this.successorOf(old);
  }

  async successorOf(old: LocalRedis): Promise<LocalRedis> {
    await this.#all((line) => !names(line, old), AbortSignal.timeout(CHANGE_MS));
    return this.master();
  }

  async stopReplication(): Promise<void> {
    const signal = AbortSignal.timeout(CHANGE_MS);
    const master = await this.master();
    const wanted = offsetsOf(await ask(master, ["INFO", "replication"], signal)).master;
    for (;;) {
      const { replicas } = offsetsOf(await ask(master, ["INFO", "replication"], signal));
      if (replicas.some((offset) => offset >= wanted)) break;
      await delay(POLL_MS, undefined, { signal });
    }
    // With a wrong password for the master a replica cannot reconnect.
    for (const node of this.nodes) {
      if (node !== master) await ask(node, ["CONFIG", "SET", "masterauth", "wrong"], signal);
    }
    await ask(master, ["CLIENT", "KILL", "TYPE", "replica"], signal);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.sentinels, ...this.nodes].map((server) => server.stop()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Resolves when the condition holds for every Sentinel's line about the master. */
  async #all(holds: (line: string) => boolean, signal: AbortSignal): Promise<void> {
    for (const sentinel of this.sentinels) {
      while (!holds(await this.#look(sentinel, signal))) await delay(POLL_MS, undefined, { signal });
    }
  }

  /** `master0:name=mymaster,status=ok,address=127.0.0.1:6379,slaves=1,sentinels=3` */
  async #look(sentinel: LocalRedis, signal: AbortSignal): Promise<string> {
    const info = await this.#ask(sentinel, ["INFO", "sentinel"], signal);
    return /^master0:.*$/m.exec(info)?.[0].trim() ?? "";
  }

  #ask({ host, port }: LocalRedis, command: readonly string[], signal: AbortSignal): Promise<string> {
    return ask({ host, port, password: this.#password }, command, signal);
  }
}

function names(line: string, { host, port }: LocalRedis): boolean {
  return line.includes(`,address=${host}:${port},`);
}

/** Replication offsets of all servers. WAIT only covers writes of its own connection. */
function offsetsOf(info: string): { readonly master: number; readonly replicas: readonly number[] } {
  const replicas = info.matchAll(/^slave\d+:.*,state=online,offset=(\d+),/gm);
  return {
    master: Number(/^master_repl_offset:(\d+)/m.exec(info)?.[1]),
    replicas: Array.from(replicas, ([, offset]) => Number(offset)),
  };
}
