import type { Redis } from "ioredis";
import { RedisClosedError } from "../errors.ts";
import type { RedisError } from "../errors.ts";
import type { RedisConnection } from "./redis-connection.ts";
import { unlessAborted } from "./waiting.ts";

/** One connection for many users: the first one opens it, and the last one closes it. */
export class SharedConnection {
  #users = 0;
  #opening: Promise<RedisConnection> | undefined;
  #giveUp = new AbortController();

  /**
   * @param open opens the connection for the first user, and for the next one after a failure
   * @param signal stops waiting for it; other users are not affected
   * @returns a lease: a view of the connection that counts losses from now, and whose `close` leaves it open for others
   * @throws what `open` throws; the signal's reason
   */
  async lease(
    open: (signal: AbortSignal) => Promise<RedisConnection>,
    signal: AbortSignal,
  ): Promise<RedisConnection> {
    this.#users += 1;
    try {
      this.#opening ??= this.#open(open);
      const connection = await unlessAborted(this.#opening, signal);
      return new Lease(connection, () => this.#leave());
    } catch (error) {
      await this.#leave();
      throw error;
    }
  }

  #open(open: (signal: AbortSignal) => Promise<RedisConnection>): Promise<RedisConnection> {
    const opening = open(this.#giveUp.signal);
    opening.catch(() => {
      if (this.#opening === opening) this.#opening = undefined;
    });
    return opening;
  }

  async #leave(): Promise<void> {
    this.#users -= 1;
    if (this.#users > 0) return;
    const opening = this.#opening;
    this.#opening = undefined;
    this.#giveUp.abort(new RedisClosedError("The connection to Redis is closed: it has no users left."));
    this.#giveUp = new AbortController();
    await opening?.then(
      (connection) => connection.close(),
      () => undefined,
    );
  }
}

class Lease implements RedisConnection {
  readonly #connection: RedisConnection;
  readonly #leave: () => Promise<void>;
  readonly #closing = new AbortController();
  /** Losses before this lease began. */
  readonly #before: number;
  #closed: Promise<void> | undefined;

  constructor(connection: RedisConnection, leave: () => Promise<void>) {
    this.#connection = connection;
    this.#leave = leave;
    this.#before = connection.disconnects;
  }

  get address(): string {
    return this.#connection.address;
  }

  get cluster(): boolean {
    return this.#connection.cluster;
  }

  get number(): number {
    return this.#connection.number;
  }

  get disconnects(): number {
    return this.#connection.disconnects - this.#before;
  }

  get client(): Redis | undefined {
    return this.#closing.signal.aborted ? undefined : this.#connection.client;
  }

  get trouble(): RedisError | undefined {
    return this.#connection.trouble;
  }

  whenUp(): Promise<Redis> {
    return unlessAborted(this.#connection.whenUp(), this.#closing.signal);
  }

  /** For all users of the connection: they continue with the next client as well. */
  discard(client: Redis, reason?: unknown): void {
    this.#connection.discard(client, reason);
  }

  close(): Promise<void> {
    this.#closing.abort(new RedisClosedError(`The connection to Redis at ${this.address} is closed.`));
    this.#closed ??= this.#leave();
    return this.#closed;
  }
}
