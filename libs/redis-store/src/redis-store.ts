import { randomUUID } from "node:crypto";
import type { Store, TaskId, TaskStore } from "@millrace/dataflow";
import type { RedisConnectionOptions } from "@millrace/redis-source";
import { acquireTask } from "./acquire-task.ts";
import { ConnectionPool } from "./connection/connection-pool.ts";
import { TaskConnection } from "./connection/task-connection.ts";
import { resolveStoreOptions } from "./redis-store-options.ts";
import type { RedisStoreOptions, StoreSettings } from "./redis-store-options.ts";
import { RedisTaskStore } from "./redis-task-store.ts";
import { TaskKeys } from "./task-keys.ts";

/**
 * Keeps the state of tasks in a Redis, or in a Redis Cluster of which any node is named.
 *
 * All that belongs to a task is in one slot and changes in one atomic step: position, state, and the rows of the
 * result sinks of this library. Commands are sent again when a connection is lost; a commit sent twice is applied
 * once.
 */
export class RedisStore implements Store {
  readonly #settings: StoreSettings;
  readonly #pool: ConnectionPool;

  /** Connects when the first task is acquired. @throws RedisOptionsError */
  constructor(connection: RedisConnectionOptions, options: RedisStoreOptions = {}) {
    this.#settings = resolveStoreOptions(options);
    this.#pool = new ConnectionPool(connection, this.#settings);
    // Tells a wrong prefix now rather than with the first task.
    new TaskKeys({ flow: "", part: "" }, this.#settings.keyPrefix);
  }

  /** @throws RedisError, StoreUnavailableError when there is no usable Redis within `retryMs` */
  async acquire(task: TaskId): Promise<TaskStore> {
    const keys = new TaskKeys(task, this.#settings.keyPrefix);
    const connection = new TaskConnection(this.#pool, this.#settings.retryMs);
    const fence = await acquireTask(connection, keys, randomUUID());
    return new RedisTaskStore(fence, keys, connection, this.#settings);
  }

  /** Closes the connections; commits under way fail. Idempotent. */
  close(): Promise<void> {
    return this.#pool.close();
  }
}
