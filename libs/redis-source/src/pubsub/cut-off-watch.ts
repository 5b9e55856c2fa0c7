import type { Redis } from "ioredis";
import type { PartContext } from "@millrace/dataflow";
import { isReply } from "../connection/explain-failure.ts";

/** What a server reports about itself, if it does. */
interface ServerView {
  /** Changes when it is restarted. */
  readonly run: string | undefined;
  /** How many clients it has disconnected because they read too slowly; Redis 7.0 does not count them. */
  readonly cutOffs: number | undefined;
}

const UNKNOWN: ServerView = { run: undefined, cutOffs: undefined };

/**
 * Detects that the server disconnected a slow subscriber. The server buffers for it up to `client-output-buffer-limit
 * pubsub`, then closes the connection, and what was in the buffer is lost.
 */
export class CutOffWatch {
  readonly #channel: string;
  readonly #context: Pick<PartContext, "step" | "logger">;
  #limitLogged = false;
  #view = UNKNOWN;
  #cutOffs = 0;

  constructor(channel: string, context: Pick<PartContext, "step" | "logger">) {
    this.#channel = channel;
    this.#context = context;
  }

  /** How often the server closed the connection, surely or most likely, because this subscriber read too slowly. */
  get cutOffs(): number {
    return this.#cutOffs;
  }

  /**
   * Asks the server over a connection that is not subscribed yet. It sends all its commands before it first waits, so
   * that a subscription can follow in the same write.
   *
   * @param unread whether the connection before this one was not being read when it was lost
   */
  async look(client: Redis, unread: boolean): Promise<void> {
    const before = this.#view;
    const [view, limit] = await Promise.all([
      viewOf(client),
      this.#limitLogged ? undefined : limitOf(client),
    ]);
    if (!this.#limitLogged) this.#logLimit(limit);
    this.#view = view;
    const { run, cutOffs } = view;
    if (run === undefined || run !== before.run) return;
    const counted =
      cutOffs !== undefined && before.cutOffs !== undefined ? cutOffs - before.cutOffs : undefined;
    if (counted === 0 || (counted === undefined && !unread)) return;
    this.#cutOffs += 1;
    const { logger, step } = this.#context;
    logger.warn(
      { event: "cut-off", channel: this.#channel, step, counted },
      `Redis ${counted === undefined ? "most likely " : ""}cut off the subscriber of ${this.#channel}, since it read too ` +
        "slowly: what was buffered is lost. Speed the flow up, divide the channel into partitions, or raise " +
        "client-output-buffer-limit pubsub.",
    );
  }

  #logLimit(limit: BufferLimit | undefined): void {
    const { logger, step } = this.#context;
    const channel = this.#channel;
    this.#limitLogged = true;
    if (limit === undefined) {
      logger.info(
        { event: "output-buffer-limit", channel, step, limit: "unknown" },
        `the limit of unread data for the subscriber of ${channel} is unknown: this user may not read ` +
          "client-output-buffer-limit",
      );
      return;
    }
    logger.info({ event: "output-buffer-limit", channel, step, ...limit }, explain(channel, limit));
  }
}

interface BufferLimit {
  /** 0: none. */
  readonly hardBytes: number;
  readonly softBytes: number;
  readonly softSeconds: number;
}

function explain(channel: string, { hardBytes, softBytes, softSeconds }: BufferLimit): string {
  const limits = [
    ...(hardBytes > 0 ? [`${hardBytes} bytes`] : []),
    ...(softBytes > 0 ? [`${softBytes} bytes for ${softSeconds} s`] : []),
  ];
  return limits.length === 0
    ? `Redis buffers without limit for a subscriber of ${channel} that falls behind; its memory is the limit`
    : `Redis cuts off a subscriber of ${channel} that falls behind by ${limits.join(", or ")}; what is buffered then is lost`;
}

/** The setting reads `normal 0 0 0 slave … pubsub <hard> <soft> <seconds>`. */
async function limitOf(client: Redis): Promise<BufferLimit | undefined> {
  const setting = await client.config("GET", "client-output-buffer-limit").catch(refused);
  const text = Array.isArray(setting) ? String(setting[1]) : "";
  const [, hard, soft, seconds] = /\bpubsub (\d+) (\d+) (\d+)/.exec(text) ?? [];
  return hard === undefined
    ? undefined
    : { hardBytes: Number(hard), softBytes: Number(soft), softSeconds: Number(seconds) };
}

async function viewOf(client: Redis): Promise<ServerView> {
  const info = await client.info().catch(refused);
  if (typeof info !== "string") return UNKNOWN;
  const cutOffs = /^client_output_buffer_limit_disconnections:(\d+)/m.exec(info)?.[1];
  return {
    run: /^run_id:(\w+)/m.exec(info)?.[1],
    cutOffs: cutOffs === undefined ? undefined : Number(cutOffs),
  };
}

/** A user without the permission gets no answer; a broken connection is thrown. */
function refused(error: unknown): undefined {
  if (isReply(error)) return undefined;
  throw error;
}
