import { SharedConnection } from "./shared-connection.ts";
import type { RedisConnection } from "./redis-connection.ts";

/**
 * Opens a connection to the node that serves a key.
 *
 * @param shared whether other keys use the connection as well
 */
export type OpenConnection = (signal: AbortSignal, shared: boolean) => Promise<RedisConnection>;

/**
 * Connections of one process for commands that do not block: all keys share one. On a cluster each key has its own, to
 * the node that serves it.
 */
export class KeyConnections {
  readonly #shared = new SharedConnection();
  /** The key that the shared connection follows, on a cluster. */
  #followed: string | undefined;
  #cluster = false;

  /** Whether each key has a connection of its own; false until a connection was made. */
  get cluster(): boolean {
    return this.#cluster;
  }

  /**
   * @param open opens a connection for the key, if there is none to share
   * @param signal stops waiting; other users are not affected
   * @returns a connection whose `close` leaves a shared one open for the others
   * @throws what `open` throws; the signal's reason
   */
  async connect(key: string, open: OpenConnection, signal: AbortSignal): Promise<RedisConnection> {
    const lease = await this.#shared.lease((giveUp) => {
      this.#followed = key;
      return open(giveUp, true);
    }, signal);
    this.#cluster = lease.cluster;
    if (!lease.cluster || key === this.#followed) return lease;
    await lease.close();
    return open(signal, false);
  }
}
