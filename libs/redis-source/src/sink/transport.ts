import type { Redis } from "ioredis";
import type { RetryingClient } from "../connection/retrying-client.ts";

/** A row: text, or bytes that are sent exactly as they are. */
export type PublishRow = string | Uint8Array;

/**
 * The answer for one message: how many readers received it at once (1 if that is not known), or why Redis has not accepted
 * it. After an error that is no reply, Redis may have accepted it.
 */
export type Answer = number | Error;

/** Sends messages to Redis: on a channel, or into a stream. */
export interface Transport {
  /** On a cluster the connection goes to the node that serves this key. `@default any node` */
  readonly key?: string;
  /** Limits how much may be sent. `@default no limit` */
  readonly room?: ((redis: RetryingClient) => Room) | undefined;
  /** Prepares each new connection. `@default nothing to do` */
  readonly prepare?: (client: Redis) => Promise<void>;
  /** Sends messages in order, at once. It never rejects, and returns an answer for each. */
  send(client: Redis, messages: readonly (string | Buffer)[]): Promise<readonly Answer[]>;
  /** Switches to another way of sending after a refusal. @returns whether there is one. `@default there is none` */
  fallBack?(failure: Error): boolean;
}

/** How many more messages may be sent. */
export interface Room {
  /** How often messages had to wait. */
  readonly waits: number;
  /**
   * Reserves room for up to `wanted` messages, and waits while there is none.
   *
   * @returns how many messages there is room for, at least 1
   * @throws the error that ends the sink
   */
  take(wanted: number): Promise<number>;
  /** Ends a wait; the next command on the closed client fails. */
  close(): void;
}
