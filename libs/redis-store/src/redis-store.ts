import { randomUUID } from "node:crypto";
import type { Json, Store, TaskHead, TaskId, TaskStore } from "@millrace/dataflow";
import { KeyConnections, RedisClosedError, RedisRefusedError, describeRedis } from "@millrace/redis-source";
import type { RedisConnectionOptions } from "@millrace/redis-source";
import { acquireTask } from "./scripts/acquire.ts";
import { TaskConnection } from "./connection/task-connection.ts";
import { groupSizes, readGroup, requireRoomFor, requireWhole } from "./load-task.ts";
import { resolveStoreOptions } from "./redis-store-options.ts";
import type { RedisStoreOptions, StoreSettings } from "./redis-store-options.ts";
import { RedisHashResultSink } from "./sinks/redis-hash-result-sink.ts";
import type { RedisHashResultSinkOptions } from "./sinks/redis-hash-result-sink.ts";
import { RedisTaskStore } from "./redis-task-store.ts";
import { TaskKeys } from "./task-keys.ts";
import { begunAnew, readMeta } from "./task-meta.ts";

/**
 * Keeps the state of tasks in a Redis, or in a Redis Cluster, given by the address of any node.
 *
 * Everything of a task is in one slot and changes in one atomic step: position, state, and the rows of the
 * result sinks of this library. Commands are retried when a connection is lost; a commit sent twice is applied
 * once.
 */
export class RedisStore implements Store {
  readonly #options: RedisConnectionOptions;
  readonly #settings: StoreSettings;
  readonly #open = new Set<TaskConnection>();
  /** Connections that `look` opened, by the task's key: the acquire that follows uses them. */
  readonly #looked = new Map<string, TaskConnection>();
  /** The address of the store, for messages. */
  readonly #address: string;
  readonly #reached = { yet: false };
  readonly #connections = new KeyConnections();
  #closed = false;
  #warned = false;

  /** Connects when a task is acquired. @throws RedisOptionsError */
  constructor(connection: RedisConnectionOptions, options: RedisStoreOptions = {}) {
    this.#address = describeRedis(connection);
    this.#options = connection;
    this.#settings = resolveStoreOptions(options);
  }

  /** Most bytes of a row that its result sinks write. */
  get maxValueBytes(): number {
    return this.#settings.maxValueBytes;
  }

  /**
   * The connection stays open for the `acquire` that follows.
   *
   * @throws RedisOptionsError, StateError, StateIncompleteError, StateTooLargeError, KeyOccupiedError, RedisError,
   *   StoreUnavailableError
   */
  async look(task: TaskId, wanted = (_group: string): boolean => false): Promise<TaskHead | undefined> {
    const keys = new TaskKeys(task, this.#settings.keyPrefix);
    const connection = this.#connect(keys);
    try {
      const head = await connection.run("look at a task", async (attempt): Promise<TaskHead | undefined> => {
        const meta = await readMeta(attempt, keys);
        requireWhole(meta, attempt);
        const { commitNumber, format, signature, position, sinks, counts, waiting } = meta;
        if (commitNumber === 0) return begunAnew(meta);
        const sizes = await groupSizes(attempt, keys);
        requireRoomFor(sizes, keys);
        const groups: [string, ReadonlyMap<string, Json>][] = [];
        for (const name of [...sizes.keys()].filter(wanted)) {
          const fields = await readGroup(attempt, keys, name, this.#settings.pageFields);
          if (fields.size > 0) groups.push([name, fields]);
        }
        const head = { commitNumber, format, signature, position, sinks, counts, groups };
        return waiting === 0 ? head : { ...head, unfinished: true };
      });
      await this.#looked.get(keys.meta)?.close();
      this.#looked.set(keys.meta, connection);
      return head;
    } catch (error) {
      await this.#disconnect(connection);
      throw error;
    }
  }

  /**
   * Acquires a task. All tasks share one connection, except on a cluster, where each has its own. Warns once if Redis may evict state.
   *
   * @throws RedisOptionsError for a partition's name that cannot have a slot of its own
   * @throws RedisRefusedError for a user who lacks a permission: the older owner continues
   * @throws RedisError, StoreUnavailableError if there is no usable Redis within `storeTimeoutMs`
   */
  async acquire(task: TaskId): Promise<TaskStore> {
    const keys = new TaskKeys(task, this.#settings.keyPrefix);
    const connection = this.#connect(keys);
    try {
      const fence = await acquireTask(connection, keys, randomUUID());
      this.#warnOfEviction(await evictionOf(connection));
      const close = (): Promise<void> => this.#disconnect(connection);
      return new RedisTaskStore(fence, keys, connection, this.#settings, close);
    } catch (error) {
      await this.#disconnect(connection);
      throw error;
    }
  }

  /**
   * A sink for results of windows: each window's rows are in a hash, named by when the window opens (of a session, by its
   * id), one field for each key, written in the same atomic step as the state they come from. Rows of another shape are made
   * results by `mapRows(store.results(), fn)`.
   *
   * @throws RedisOptionsError
   */
  results<R>(options: RedisHashResultSinkOptions<R> = {}): RedisHashResultSink<R> {
    return new RedisHashResultSink(this, options);
  }

  /** Closes the connections of all tasks; running commits fail. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    const connections = [...this.#open];
    this.#open.clear();
    this.#looked.clear();
    await Promise.all(connections.map((connection) => connection.close()));
  }

  #connect({ meta }: TaskKeys): TaskConnection {
    if (this.#closed) throw new RedisClosedError(`The store in Redis at ${this.#address} is closed.`);
    const looked = this.#looked.get(meta);
    this.#looked.delete(meta);
    const connection =
      looked ??
      new TaskConnection(this.#options, meta, {
        ...this.#settings,
        reached: this.#reached,
        connections: this.#connections,
      });
    this.#open.add(connection);
    return connection;
  }

  async #disconnect(connection: TaskConnection): Promise<void> {
    this.#open.delete(connection);
    await connection.close();
  }

  #warnOfEviction(policy: string | undefined): void {
    if (policy === undefined || this.#warned) return;
    this.#warned = true;
    this.#settings.logger.warn(
      { event: "evicting", policy },
      `Redis at ${this.#address} has maxmemory-policy ${policy}: when it is out of memory it deletes state, and tasks ` +
        "then stop with MILLRACE_STORE_STATE_INCOMPLETE. Set noeviction, or volatile-ttl, which evicts only results that expire",
    );
  }
}

/** The policy if it allows a server to evict any key; `undefined`: it does not, or the user may not read it. */
async function evictionOf(connection: TaskConnection): Promise<string | undefined> {
  try {
    const info = await connection.run("report its eviction policy", ({ client, answer }) =>
      answer(client.info("memory")),
    );
    return /^maxmemory_policy:(allkeys-\w+)/m.exec(info)?.[1];
  } catch (error) {
    if (error instanceof RedisRefusedError) return undefined;
    throw error;
  }
}
