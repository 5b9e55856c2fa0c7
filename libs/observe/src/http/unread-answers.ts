import type { FastifyReply, FastifyRequest } from "fastify";
import { Refusal } from "./problem.ts";

/** Bytes of large answers that may wait for their clients at the same time. */
const MAX_BYTES = 64 * 2 ** 20;
/** Smaller answers are not counted: the bound on connections bounds them. */
const LARGE_BYTES = 16 * 1_024;

/** Bounds the memory of answers that their clients do not read. */
export class UnreadAnswers {
  readonly #answers = new Map<FastifyReply, number>();

  /** Refuses requests while too much is unread. */
  readonly check = (_request: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void): void => {
    let bytes = 0;
    // An answer that waits for another one of its connection has no event of its own when that ends.
    for (const [reply, size] of this.#answers) {
      if (reply.raw.writableFinished || reply.request.socket.destroyed) this.#answers.delete(reply);
      else bytes += size;
    }
    if (bytes < MAX_BYTES) done();
    else
      done(
        new Refusal(503, "Too many large answers wait for clients that do not read them; try again later.", {
          "retry-after": "5",
        }),
      );
  };

  /** Counts an answer when it is sent. */
  readonly count = (
    _request: FastifyRequest,
    reply: FastifyReply,
    payload: unknown,
    done: (error?: Error | null, payload?: unknown) => void,
  ): void => {
    if (typeof payload === "string" && payload.length >= LARGE_BYTES)
      this.#answers.set(reply, Buffer.byteLength(payload));
    done(null, payload);
  };
}
