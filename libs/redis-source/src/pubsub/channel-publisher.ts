import type { Redis } from "ioredis";
import type { PartContext } from "@millrace/dataflow";
import { resolveTarget } from "../connection/connection-options.ts";
import type { RedisConnectionOptions } from "../connection/connection-options.ts";
import { explainFailure } from "../connection/explain-failure.ts";
import { connectRedis } from "../connection/redis-connection.ts";
import { RetryingClient } from "../connection/retrying-client.ts";
import { logRefusedRecord } from "../delivery/producer-records.ts";
import { RedisRefusedError } from "../errors.ts";
import { publishAll } from "./publish-all.ts";
import type { PubSubTransport } from "./pubsub-source-options.ts";
import type { PublishRights } from "./send-together.ts";
import { byScript, inPipeline, publishCommand, publishRights } from "./send-together.ts";

/**
 * Messages that are longer on average, in characters or bytes, go in pipelines: what a script saves for each message it
 * costs Redis for each KiB.
 */
const LONGEST_IN_SCRIPT = 2_048;

const NO_SCRIPTS =
  "The Redis user may not run scripts; small messages go in pipelines, for about three times the CPU time.";

/** Where a publisher publishes. */
export interface ChannelTarget {
  readonly channel: string;
  readonly transport: PubSubTransport;
  /** Whether a record is kept of who numbers the rows. */
  readonly numbered: boolean;
  /** Sent and not yet answered; a larger message goes alone. */
  readonly maxInFlightBytes: number;
}

/** Rows that had an answer, or were sent again for want of one. */
export interface PublishCounts {
  readonly published: number;
  readonly bytes: number;
  readonly unheard: number;
  readonly resent: number;
}

/** Publishes on one channel, over a connection of its own, through any number of reconnects. */
export class ChannelPublisher {
  readonly #redis: RetryingClient;
  readonly #target: ChannelTarget;
  readonly #count: (counts: PublishCounts) => void;
  /** On the connection of the moment. */
  readonly #scripts: { allowed: boolean };
  #published = 0;

  private constructor(
    redis: RetryingClient,
    target: ChannelTarget,
    count: (counts: PublishCounts) => void,
    scripts: { allowed: boolean },
  ) {
    this.#redis = redis;
    this.#target = target;
    this.#count = count;
    this.#scripts = scripts;
  }

  /** @throws RedisError; the reason of the context's signal */
  static async open(
    options: RedisConnectionOptions,
    target: ChannelTarget,
    { logger, time, signal, step }: PartContext,
    count: (counts: PublishCounts) => void,
  ): Promise<ChannelPublisher> {
    const { channel, transport, numbered } = target;
    const scripts = { allowed: false };
    let first = true;
    const { address } = resolveTarget(options);
    const connection = await connectRedis(options, {
      role: `sink ${channel}`,
      logger,
      time,
      signal,
      ...(transport === "sharded" ? { key: channel } : {}),
      prepare: async (client) => {
        const rights = await publishRights(client, transport, { channel, address, numbered });
        scripts.allowed = rights.scripts;
        // A right that is taken away later fails the row that needs it.
        if (first) requirePublishing(rights, transport, { channel, address });
        const missing = rights.refused.filter((name) => name !== publishCommand(transport));
        if (first && missing.length > 0) logRefusedRecord({ logger, step }, channel, missing.join(", "));
        first = false;
        if (!scripts.allowed) logger.info({ event: "no-scripts", channel }, NO_SCRIPTS);
      },
    });
    const redis = new RetryingClient(connection, { logger, time, step, key: channel });
    return new ChannelPublisher(redis, target, count, scripts);
  }

  get client(): Redis | undefined {
    return this.#redis.client;
  }

  get disconnects(): number {
    return this.#redis.disconnects;
  }

  get published(): number {
    return this.#published;
  }

  /**
   * Publishes messages in order; resolves when Redis has taken each. Those that it has not taken, since the connection
   * was lost or it refused them for the moment, are sent again, and no others.
   *
   * @param rowsOf rows in the message with this index
   * @throws RedisError when Redis refuses for good, or the publisher was closed
   */
  async publish(
    messages: readonly (string | Uint8Array)[],
    rowsOf: (index: number) => number,
  ): Promise<void> {
    const rowsIn = (indexes: readonly number[]): number =>
      indexes.reduce((rows, index) => rows + rowsOf(index), 0);
    const { channel, transport, maxInFlightBytes } = this.#target;
    const scriptPays = messages.length > 1 && meanLength(messages) <= LONGEST_IN_SCRIPT;
    let left: readonly number[] = messages.map((_, index) => index);
    let again = 0;
    await this.#redis.run(async ({ client, address, watch }) => {
      while (left.length > 0) {
        if (again > 0) this.#count({ published: 0, bytes: 0, unheard: 0, resent: again });
        const scripted = scriptPays && this.#scripts.allowed;
        const send = scripted ? byScript(transport) : inPipeline(transport);
        const answers = watch();
        const { refused, unanswered, unsent, failure } = await publishAll(
          client,
          { channel, send, maxInFlightBytes },
          messages,
          left,
          (answer) => {
            answers.answered();
            const published = rowsIn(answer.taken);
            this.#published += published;
            this.#count({ published, bytes: answer.bytes, unheard: rowsIn(answer.unheard), resent: 0 });
          },
        );
        answers.end();
        left = [...refused, ...unsent];
        again = rowsIn(unanswered);
        if (failure === undefined) return;
        // A right was taken away, or the script was killed: a pipeline does it, or says what is really wrong.
        if (!scripted || explainFailure(failure, address).retryable) throw failure;
        this.#scripts.allowed = false;
      }
    });
  }

  /** Settles what is outstanding. */
  close(): Promise<void> {
    return this.#redis.close();
  }
}

/** @throws RedisRefusedError */
function requirePublishing(
  { refused }: PublishRights,
  transport: PubSubTransport,
  { channel, address }: { readonly channel: string; readonly address: string },
): void {
  const publish = publishCommand(transport);
  if (!refused.includes(publish)) return;
  throw new RedisRefusedError(
    `Redis at ${address} does not let this user run ${publish} on ${channel}. Give the permission with ACL SETUSER.`,
  );
}

/** Characters or bytes. */
function meanLength(messages: readonly (string | Uint8Array)[]): number {
  let length = 0;
  for (const message of messages) length += message.length;
  return length / messages.length;
}
