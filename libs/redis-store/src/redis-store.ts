import { randomUUID } from "node:crypto";
import type { Store, TaskHead, TaskId, TaskStore } from "@millrace/dataflow";
import { RedisClosedError, describeRedis } from "@millrace/redis-source";
import type { RedisConnectionOptions } from "@millrace/redis-source";
import { acquireTask } from "./acquire-task.ts";
import { TaskConnection } from "./connection/task-connection.ts";
import { resolveStoreOptions } from "./redis-store-options.ts";
import type { RedisStoreOptions, StoreSettings } from "./redis-store-options.ts";
import { RedisTaskStore } from "./redis-task-store.ts";
import { TaskKeys } from "./task-keys.ts";
import { readMeta } from "./task-meta.ts";

/**
 * Keeps the state of tasks in a Redis, or in a Redis Cluster of which any node is named.
 *
 * All that belongs to a task is in one slot and changes in one atomic step: position, state, and the rows of the
 * result sinks of this library. Commands are sent again when a connection is lost; a commit sent twice is applied
 * once.
 */
export class RedisStore implements Store {
  readonly #options: RedisConnectionOptions;
  readonly #settings: StoreSettings;
  readonly #open = new Set<TaskConnection>();
  /** Where the store is, for people. */
  readonly #address: string;
  readonly #reached = { yet: false };
  #closed = false;

  /** Connects when a task is acquired. @throws RedisOptionsError */
  constructor(connection: RedisConnectionOptions, options: RedisStoreOptions = {}) {
    this.#address = describeRedis(connection);
    this.#options = connection;
    this.#settings = resolveStoreOptions(options);
  }

  /** @throws RedisOptionsError, StateError, RedisError, StoreUnavailableError */
  async look(task: TaskId): Promise<TaskHead | undefined> {
    const keys = new TaskKeys(task, this.#settings.keyPrefix);
    const connection = this.#connect(keys);
    try {
      const { commitNumber, signature, position, sinks } = await connection.run("look at a task", (link) =>
        readMeta(link, keys),
      );
      return commitNumber === 0 ? undefined : { commitNumber, signature, position, sinks };
    } finally {
      this.#open.delete(connection);
      await connection.close();
    }
  }

  /**
   * Takes a task over, on a connection of its own.
   *
   * @throws RedisOptionsError for a partition's name that cannot have a slot of its own
   * @throws RedisError, StoreUnavailableError when there is no usable Redis within `retryMs`
   */
  async acquire(task: TaskId): Promise<TaskStore> {
    const keys = new TaskKeys(task, this.#settings.keyPrefix);
    const connection = this.#connect(keys);
    const close = async (): Promise<void> => {
      this.#open.delete(connection);
      await connection.close();
    };
    try {
      const fence = await acquireTask(connection, keys, randomUUID());
      return new RedisTaskStore(fence, keys, connection, this.#settings, close);
    } catch (error) {
      await close();
      throw error;
    }
  }

  /** Closes the connections of all tasks; commits under way fail. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    const connections = [...this.#open];
    this.#open.clear();
    await Promise.all(connections.map((connection) => connection.close()));
  }

  #connect({ meta }: TaskKeys): TaskConnection {
    if (this.#closed) throw new RedisClosedError(`The store in Redis at ${this.#address} is closed.`);
    const connection = new TaskConnection(this.#options, meta, { ...this.#settings, reached: this.#reached });
    this.#open.add(connection);
    return connection;
  }
}
