import type { Logger, TimeProvider } from "@millrace/dataflow";
import { connectRedis, describeRedis } from "@millrace/redis-source";
import type { RedisConnection, RedisConnectionOptions } from "@millrace/redis-source";

/** A node of a Redis Cluster. */
export interface NodeAddress {
  readonly host: string;
  readonly port: number;
}

/** How the connections of a store are kept. */
export interface PoolSettings {
  readonly logger: Logger;
  readonly time: TimeProvider;
}

/** One connection to each Redis node that tasks talk to, shared by the tasks. */
export class ConnectionPool {
  /** The Redis that was configured, for people. */
  readonly address: string;
  readonly time: TimeProvider;
  readonly #options: RedisConnectionOptions;
  readonly #settings: PoolSettings;
  readonly #connections = new Map<string, Promise<RedisConnection>>();
  readonly #closing = new AbortController();

  /** @throws RedisOptionsError */
  constructor(options: RedisConnectionOptions, settings: PoolSettings) {
    this.address = describeRedis(options);
    this.#options = options;
    this.#settings = settings;
    this.time = settings.time;
  }

  /** Aborted when the pool is closed. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /**
   * Connects at the first call for a node; later calls get the same connection.
   *
   * @param node `undefined`: the Redis that was configured
   * @throws RedisError
   */
  async connection(node: NodeAddress | undefined): Promise<RedisConnection> {
    this.closing.throwIfAborted();
    const name = node === undefined ? "" : `${node.host}:${node.port}`;
    const known = this.#connections.get(name);
    if (known !== undefined) return known;
    const made = connectRedis({ ...this.#options, ...node }, { role: "store", ...this.#settings });
    this.#connections.set(name, made);
    try {
      const connection = await made;
      if (this.closing.aborted) await connection.close();
      return connection;
    } catch (error) {
      this.#connections.delete(name);
      throw error;
    }
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort(new Error("the store is closed"));
    const connections = [...this.#connections.values()];
    this.#connections.clear();
    for (const made of connections) await made.then((connection) => connection.close(), ignore);
  }
}

function ignore(): void {
  // Whoever asked for the connection was told why there is none.
}
