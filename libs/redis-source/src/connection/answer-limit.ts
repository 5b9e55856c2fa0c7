import type { Redis } from "ioredis";
import type { TimeProvider } from "@millrace/dataflow";
import { RedisUnreachableError } from "../errors.ts";
import type { RedisError } from "../errors.ts";
import type { RedisConnection } from "./redis-connection.ts";

/** A connection is given up if Redis answers nothing for this long, on top of the time a command itself may take. */
export const ANSWER_LIMIT_MS = 8_000;

/** Watches that a client answers: a connection can die silently, and then its commands would wait for ever. */
export interface AnswerWatch {
  /** Why the client was given up; `undefined`: it was not. */
  readonly overdue: RedisError | undefined;
  /** A command was answered: the time starts again. */
  readonly answered: () => void;
  /** Nothing is outstanding any more. */
  end(): void;
}

/**
 * Gives a client up (its commands are then rejected) when it answers nothing for {@link ANSWER_LIMIT_MS}.
 *
 * @param takesMs how long the commands may take by themselves
 */
export function watchAnswers(
  connection: RedisConnection,
  client: Redis,
  time: TimeProvider,
  takesMs = 0,
): AnswerWatch {
  const limitMs = takesMs + ANSWER_LIMIT_MS;
  let lastAt = time.monotonic();
  let given: RedisError | undefined;
  let ended = false;
  let cancel: (() => void) | undefined;
  const look = async (): Promise<void> => {
    // If the whole process was suspended, the answer may be in the socket, to be read after this timer.
    await time.yield();
    if (ended) return;
    if (time.monotonic() < lastAt + limitMs) {
      arm();
      return;
    }
    const silent = `Redis at ${connection.address} did not answer a command within ${limitMs} ms.`;
    given = new RedisUnreachableError(silent);
    connection.discard(client, given);
  };
  const arm = (): void => {
    cancel = time.wakeAfter(lastAt + limitMs - time.monotonic(), () => void look());
  };
  arm();
  return {
    get overdue() {
      return given;
    },
    answered: () => {
      lastAt = time.monotonic();
    },
    end() {
      ended = true;
      cancel?.();
    },
  };
}
