import { SharedConnection } from "./shared-connection.ts";
import type { RedisConnection } from "./redis-connection.ts";

/**
 * Opens a connection to the node that serves a key.
 *
 * @param shared others use the connection as well
 */
export type OpenConnection = (signal: AbortSignal, shared: boolean) => Promise<RedisConnection>;

/**
 * Connections of one process for commands that are answered at once: all keys share one. Only on a cluster each key
 * has its own, to the node that serves it.
 */
export class KeyConnections {
  readonly #shared = new SharedConnection();
  /** The key that the shared connection follows, on a cluster. */
  #followed: string | undefined;
  #cluster = false;

  /** Whether each key has a connection of its own, as far as is known. */
  get cluster(): boolean {
    return this.#cluster;
  }

  /**
   * @param open for the key; it is called when there is no connection to share
   * @param signal gives up waiting; others may go on
   * @returns a connection whose `close` leaves a shared one to the others
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
