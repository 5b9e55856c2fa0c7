import { DEFAULT_LOGGER, SYSTEM_TIME, withDefaults } from "@millrace/dataflow";
import type { Logger, TaskId, TimeProvider } from "@millrace/dataflow";
import type { RedisConnectionOptions } from "@millrace/redis-source";
import { TaskConnection } from "../connection/task-connection.ts";
import { DEFAULT_KEY_PREFIX, TaskKeys } from "../task-keys.ts";

/** How to reach a task's keys from outside a run. */
export interface TaskAccessOptions {
  /** The prefix of the store. `@default "millrace"` */
  readonly keyPrefix?: string;
  /** How long (ms) a command is retried since the last answer of Redis, once it was reached. `@default Infinity` */
  readonly storeTimeoutMs?: number;
  /** Stops the call, which then rejects with the signal's reason. `@default never` */
  readonly signal?: AbortSignal | undefined;
  /** @default warnings and errors on standard error */
  readonly logger?: Logger;
  /** @default the system's clock and timers */
  readonly time?: TimeProvider;
}

/** The default options of `inspectTask` and `resetTask`. */
export const DEFAULT_TASK_ACCESS_OPTIONS: Required<TaskAccessOptions> = Object.freeze({
  keyPrefix: DEFAULT_KEY_PREFIX,
  storeTimeoutMs: Infinity,
  signal: undefined,
  logger: DEFAULT_LOGGER,
  time: SYSTEM_TIME,
});

/** Connects for the duration of `use`. @throws what `use` throws; the signal's reason */
export function withTask<T>(
  redis: RedisConnectionOptions,
  task: TaskId,
  options: TaskAccessOptions,
  use: (connection: TaskConnection, keys: TaskKeys) => Promise<T>,
): Promise<T> {
  const keys = new TaskKeys(task, options.keyPrefix);
  return withConnection(redis, keys.meta, options, (connection) => use(connection, keys));
}

/** The same, with a connection to the node that has the key's slot. */
export async function withConnection<T>(
  redis: RedisConnectionOptions,
  key: string,
  options: TaskAccessOptions,
  use: (connection: TaskConnection) => Promise<T>,
): Promise<T> {
  const { storeTimeoutMs, signal, logger, time } = withDefaults(DEFAULT_TASK_ACCESS_OPTIONS, options);
  const connection = new TaskConnection(redis, key, { storeTimeoutMs, logger, time });
  const giveUp = (): void => {
    void connection.close();
  };
  signal?.addEventListener("abort", giveUp);
  try {
    signal?.throwIfAborted();
    return await use(connection);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener("abort", giveUp);
    await connection.close();
  }
}
