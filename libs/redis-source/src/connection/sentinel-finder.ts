import type { Redis } from "ioredis";
import { RedisOptionsError, RedisReplicaError, RedisUnreachableError } from "../errors.ts";
import type { RedisError } from "../errors.ts";
import { nodeOf } from "./connection-options.ts";
import type { RedisTarget, SentinelTarget } from "./connection-options.ts";
import { causeOf, explainFailure } from "./explain-failure.ts";
import { openClient } from "./open-client.ts";
import type { LiveClient, NodeFinder, OpenSettings } from "./open-client.ts";

/** Finds the master that the Sentinels have elected, and remembers the other Sentinels that they know. */
export class SentinelFinder implements NodeFinder {
  readonly #configured: RedisTarget;
  readonly #sentinel: SentinelTarget;
  /** The Sentinels to ask, the one that answered last first. */
  #sentinels: readonly RedisTarget[];
  #master: RedisTarget | undefined;

  constructor(configured: RedisTarget, sentinel: SentinelTarget) {
    this.#configured = configured;
    this.#sentinel = sentinel;
    this.#sentinels = sentinel.nodes.map((node) => this.#sentinelAt(node.host, node.port));
  }

  get address(): string {
    const { masterName } = this.#sentinel;
    return this.#master === undefined
      ? this.#configured.address
      : `${this.#master.address} (the master ${masterName})`;
  }

  /**
   * Asks one Sentinel after the other. Each of them, and then the master, may take an equal share of the time.
   *
   * @throws RedisError; RedisOptionsError if Sentinels answer and none knows the master
   */
  async open(settings: OpenSettings): Promise<LiveClient> {
    const { masterName } = this.#sentinel;
    const { time, timeoutMs } = settings;
    const deadline = time.monotonic() + timeoutMs;
    const shareMs = Math.ceil(timeoutMs / (this.#sentinels.length + 1));
    let failure: RedisError | undefined;
    for (const sentinel of this.#sentinels) {
      const leftMs = deadline - time.monotonic();
      if (failure !== undefined && leftMs <= 0) break;
      try {
        const master = await this.#ask(
          { ...sentinel, connectTimeoutMs: shareMs },
          { ...settings, timeoutMs: Math.min(shareMs, leftMs) },
        );
        if (master === undefined) continue;
        this.#master = master;
        this.#sentinels = [sentinel, ...this.#sentinels.filter((other) => other !== sentinel)];
        return await this.#openMaster(master, { ...settings, timeoutMs: deadline - time.monotonic() });
      } catch (error) {
        failure = explainFailure(error, sentinel.address);
        if (!failure.retryable) throw failure;
        settings.signal.throwIfAborted();
      }
    }
    const names = this.#sentinels.map(({ address }) => address).join(", ");
    if (failure === undefined) {
      throw new RedisOptionsError(
        `No Sentinel at ${names} knows a master named ${JSON.stringify(masterName)}. Give the name that their ` +
          "configuration has after `sentinel monitor`.",
      );
    }
    throw new RedisUnreachableError(
      `No connection to the master ${masterName} through the Sentinels ${names}: ${causeOf(failure)}.`,
      { cause: failure },
    );
  }

  /** @returns the master; `undefined` if this Sentinel does not know it */
  async #ask(sentinel: RedisTarget, settings: OpenSettings): Promise<RedisTarget | undefined> {
    const { masterName } = this.#sentinel;
    let master: RedisTarget | undefined;
    let others: readonly RedisTarget[] = [];
    const prepare = async (client: Redis): Promise<void> => {
      const [host, port] = listOf(await client.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", masterName));
      if (typeof host !== "string") return;
      master = nodeOf(this.#configured, { host, port: Number(port) });
      others = listOf(await client.call("SENTINEL", "SENTINELS", masterName)).flatMap((sentinelFields) => {
        const fields = listOf(sentinelFields);
        const [ip, itsPort] = [fields[fields.indexOf("ip") + 1], Number(fields[fields.indexOf("port") + 1])];
        return typeof ip === "string" ? [this.#sentinelAt(ip, itsPort)] : [];
      });
    };
    const { redis } = await openClient(sentinel, { ...settings, prepare }, "sentinel");
    redis.disconnect();
    const known = new Set(this.#sentinels.map(({ address }) => address));
    this.#sentinels = [...this.#sentinels, ...others.filter(({ address }) => !known.has(address))];
    return master;
  }

  async #openMaster(master: RedisTarget, settings: OpenSettings): Promise<LiveClient> {
    try {
      return await openClient(master, settings);
    } catch (error) {
      if (!(error instanceof RedisReplicaError)) throw error;
      // The Sentinels have not elected another one yet, or it has not been promoted yet.
      throw new RedisUnreachableError(
        `${master.address} is not the master ${this.#sentinel.masterName} yet, or no longer: the failover is not finished.`,
      );
    }
  }

  /** Sentinels have users of their own, and one database. */
  #sentinelAt(host: string, port: number): RedisTarget {
    const { username, password } = this.#sentinel;
    return { ...nodeOf(this.#configured, { host, port }), username, password, db: 0 };
  }
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
