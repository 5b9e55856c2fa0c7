import type { Redis } from "ioredis";
import type { RetryingClient } from "../connection/retrying-client.ts";

/** A row: text, or bytes that are sent exactly as they are. */
export type PublishRow = string | Uint8Array;

/**
 * What Redis answered for one message: how many readers got it at once, 1 where that is not known; or why it has not taken
 * it. An error that is no reply leaves open whether it has.
 */
export type Answer = number | Error;

/** How messages get into Redis: on a channel, or into a stream. */
export interface Transport {
  /** On a cluster the connection goes to the node that serves this key. `@default any node` */
  readonly key?: string;
  /** Bounds how much may be sent. `@default none` */
  readonly room?: ((redis: RetryingClient) => Room) | undefined;
  /** Asks on each new connection what it needs to know. `@default nothing` */
  readonly prepare?: (client: Redis) => Promise<void>;
  /** Sends messages in order, in one go. It never rejects, and gives an answer for each. */
  send(client: Redis, messages: readonly (string | Buffer)[]): Promise<readonly Answer[]>;
  /** Whether there is another way to send what was refused, from now on. `@default there is none` */
  fallBack?(failure: Error): boolean;
}

/** How many more messages may be sent. */
export interface Room {
  /** How often messages had to wait. */
  readonly waits: number;
  /**
   * Takes room for up to `wanted` messages, and waits while there is none.
   *
   * @returns how many there is room for, at least 1
   * @throws what ends the sink
   */
  take(wanted: number): Promise<number>;
  /** Ends a wait; the next command on the closed client fails. */
  close(): void;
}
