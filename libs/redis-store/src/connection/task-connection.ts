import type { Redis } from "ioredis";
import { RedisClosedError } from "@millrace/redis-source";
import type { RedisConnection } from "@millrace/redis-source";
import { StoreUnavailableError } from "../errors.ts";
import { runScript } from "../scripts/script.ts";
import type { Script } from "../scripts/script.ts";
import type { ConnectionPool, NodeAddress } from "./connection-pool.ts";
import { failureOf } from "./failure.ts";
import type { Failure } from "./failure.ts";
import { OVERDUE, within } from "./within.ts";

/** A server that answers nothing for so long is taken for lost, and the command is sent on a new connection. */
const ANSWER_MS = 5_000;
const FIRST_DELAY_MS = 20;
const LONGEST_DELAY_MS = 1_000;

/** One connection in use. */
export interface Link {
  readonly client: Redis;
  /** Waits for an answer, but not for ever. */
  readonly answer: <T>(reply: Promise<T>) => Promise<T>;
  readonly script: (
    script: Script,
    keys: readonly string[],
    args: readonly (string | number)[],
  ) => Promise<unknown>;
}

/** A command of a {@link Link} failed. */
class Interrupted extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.kind);
    this.failure = failure;
  }
}

/** How a try ended that brought no result. */
interface Setback {
  readonly reason: string;
  /** Whether a new try at once would be too early. */
  readonly pause: boolean;
}

/**
 * A task's way to the node that has its slot. It goes where a cluster sends it, waits out restarts and
 * failovers, and sends again what got no answer; so whatever is sent must bear to be sent twice.
 */
export class TaskConnection {
  readonly #pool: ConnectionPool;
  readonly #retryMs: number;
  #node: NodeAddress | undefined;
  #giveUpAt = 0;

  /** @param retryMs how long a command is tried since the last answer */
  constructor(pool: ConnectionPool, retryMs: number) {
    this.#pool = pool;
    this.#retryMs = retryMs;
  }

  /**
   * Runs `use`, again from its start whenever the connection is lost on the way. One call at a time.
   *
   * @param purpose what it is for, in the error's words
   * @throws StoreUnavailableError when Redis answered nothing of use for `retryMs`
   * @throws RedisError for what waiting does not mend; what `use` itself throws
   */
  async run<T>(purpose: string, use: (link: Link) => Promise<T>): Promise<T> {
    const { time, address } = this.#pool;
    this.#giveUpAt = time.now() + this.#retryMs;
    for (let attempt = 0; ; attempt += 1) {
      const { reason, pause, ...done } = await this.#try(use);
      if (done.result !== undefined) return done.result.value;
      const delayMs = pause ? Math.min(FIRST_DELAY_MS * 2 ** attempt, LONGEST_DELAY_MS) : 0;
      if (time.now() + delayMs >= this.#giveUpAt) {
        throw new StoreUnavailableError(
          `Redis at ${address} did not ${purpose} within ${this.#retryMs} ms: ${reason} ` +
            "Bring it back; what was committed is kept, and the next run goes on from there.",
        );
      }
      if (delayMs > 0) await this.#bounded(new Promise<never>(never), delayMs);
    }
  }

  async #try<T>(
    use: (link: Link) => Promise<T>,
  ): Promise<Setback & { readonly result?: { readonly value: T } }> {
    try {
      return { reason: "", pause: false, result: { value: await use(await this.#link()) } };
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
      return this.#setback(error.failure);
    }
  }

  async #link(): Promise<Link> {
    const connection = await this.#attempt(this.#pool.connection(this.#node), this.#pool.address);
    const client = await this.#attempt(connection.whenUp(), connection.address);
    const answer = async <T>(reply: Promise<T>): Promise<T> => {
      const answered = await this.#answered(reply, connection, client);
      this.#giveUpAt = this.#pool.time.now() + this.#retryMs;
      return answered;
    };
    return { client, answer, script: (script, keys, args) => answer(runScript(client, script, keys, args)) };
  }

  async #answered<T>(reply: Promise<T>, connection: RedisConnection, client: Redis): Promise<T> {
    try {
      return await this.#attempt(reply, connection.address, ANSWER_MS);
    } catch (error) {
      if (error instanceof Overdue) connection.discard(client);
      throw error;
    }
  }

  /** @throws Interrupted, RedisClosedError */
  async #attempt<T>(promise: Promise<T>, address: string, atMostMs = Number.POSITIVE_INFINITY): Promise<T> {
    const leftMs = Math.max(this.#giveUpAt - this.#pool.time.now(), 0);
    let result: T | typeof OVERDUE;
    try {
      result = await this.#bounded(promise, Math.min(leftMs, atMostMs));
    } catch (error) {
      if (error instanceof RedisClosedError) throw error;
      throw new Interrupted(failureOf(error, address));
    }
    if (result === OVERDUE) throw new Overdue(address);
    return result;
  }

  async #bounded<T>(promise: Promise<T>, ms: number): Promise<T | typeof OVERDUE> {
    const { address, time, closing } = this.#pool;
    try {
      return await within(promise, ms, time, closing);
    } catch (error) {
      if (!closing.aborted) throw error;
      throw new RedisClosedError(`The store in Redis at ${address} is closed.`);
    }
  }

  #setback(failure: Failure): Setback {
    if (failure.kind === "final") throw failure.error;
    const before = this.#node;
    if (failure.kind === "retry") {
      // The node may have lost the slot with its life: the configured one knows where it is now.
      this.#node = undefined;
      return { reason: failure.reason, pause: true };
    }
    const { to } = failure;
    this.#node = to;
    const reason = `the cluster sends it to ${to.host}:${to.port}, which does not take it.`;
    return { reason, pause: before !== undefined };
  }
}

class Overdue extends Interrupted {
  constructor(address: string) {
    super({ kind: "retry", reason: `${address} does not answer.` });
  }
}

function never(): void {
  // Such a promise only ends by its bound.
}
