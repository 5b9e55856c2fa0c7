import type { PartContext } from "@millrace/dataflow";
import type { RedisConnectionOptions } from "../connection/connection-options.ts";
import { RedisOptionsError } from "../errors.ts";
import { requireAtLeast } from "../sink/framing-options.ts";
import { PartitionedSink } from "../sink/partitioned-sink.ts";
import { resolveSinkOptions } from "../sink/sink-options.ts";
import type { PartitionedSinkOptions } from "../sink/sink-options.ts";
import { sendEach } from "../sink/send-each.ts";
import type { Answer, Room, Transport } from "../sink/transport.ts";
import type { StreamFullPolicy, StreamLimit } from "./stream-room.ts";
import type { Redis } from "ioredis";
import type { RetryingClient } from "../connection/retrying-client.ts";
import { DATA_FIELD } from "./entry-decoder.ts";
import { StreamRoom } from "./stream-room.ts";
import { SHORTEST_WAITING_LENGTH } from "./waiting-length.ts";

/** Options of {@link RedisStreamSink}. */
export interface RedisStreamSinkOptions extends PartitionedSinkOptions {
  /** Name of the stream. */
  readonly stream: string;
  /** The field of an entry that holds its message. `@default "data"` */
  readonly field?: string;
  /** Most entries in each stream, heartbeats included. `@default none: it grows until a reader trims it` */
  readonly maxStreamLength?: number;
  /** @default "wait" */
  readonly whenFull?: StreamFullPolicy;
  /** Called with the counts so far whenever Redis has answered, many rows at a time. It must not throw. */
  readonly onProgress?: (stats: StreamSinkStats) => void;
}

/** What a sink has written, all partitions together. */
export interface StreamSinkStats {
  /** Rows that Redis has accepted. */
  readonly published: number;
  /** Entries that Redis has accepted; heartbeats are entries as well. */
  readonly entries: number;
  /** Bytes of their messages. */
  readonly bytes: number;
  /** Rows sent again because the connection was lost before their answer; in frames, a reader drops the repetition. */
  readonly resent: number;
  /** How often a full stream made rows wait. */
  readonly waits: number;
  /** Rows that were given to the sink and that Redis has not accepted: they wait, or were not sent before the close. */
  readonly unsent: number;
  /** How often a connection was lost. */
  readonly disconnects: number;
}

/** Adds rows to a Redis Stream or its partitions. */
export class RedisStreamSink extends PartitionedSink {
  readonly #field: string;
  readonly #limit: StreamLimit | undefined;
  readonly #onProgress: RedisStreamSinkOptions["onProgress"];

  /** @throws RedisOptionsError */
  constructor(connection: RedisConnectionOptions, options: RedisStreamSinkOptions) {
    super(connection, "stream", resolveSinkOptions(options.stream, options));
    this.#field = options.field ?? DATA_FIELD;
    if (this.#field === "") throw new RedisOptionsError("The field of an entry has a name: it is not empty.");
    this.#limit = limitOf(options);
    this.#onProgress = options.onProgress;
  }

  /** Counts so far; complete when the run is over. */
  stats(): StreamSinkStats {
    const { published, messages: entries, bytes, resent, waits, unsent, disconnects } = this.figures();
    return { published, entries, bytes, resent, waits, unsent, disconnects };
  }

  protected override transportTo(stream: string, _address: string, context: PartContext): Transport {
    return new StreamTransport(stream, this.#field, this.#limit, context);
  }

  protected override progressed(): void {
    this.#onProgress?.(this.stats());
  }
}

/** @throws RedisOptionsError */
function limitOf({ maxStreamLength, whenFull = "wait" }: RedisStreamSinkOptions): StreamLimit | undefined {
  if (maxStreamLength === undefined) return undefined;
  requireAtLeast("maxStreamLength", maxStreamLength, whenFull === "wait" ? SHORTEST_WAITING_LENGTH : 1);
  return { maxLength: maxStreamLength, whenFull };
}

/** Adds messages to one stream, each as an entry. */
class StreamTransport implements Transport {
  readonly key: string;
  readonly #field: string;
  readonly #trimTo: number | undefined;
  readonly room: ((redis: RetryingClient) => Room) | undefined;

  /** @param field the field of an entry that holds its message */
  constructor(stream: string, field: string, limit: StreamLimit | undefined, context: PartContext) {
    this.key = stream;
    this.#field = field;
    if (limit?.whenFull === "trim") this.#trimTo = limit.maxLength;
    else if (limit !== undefined) this.room = (redis) => new StreamRoom(stream, redis, limit, context);
  }

  async send(client: Redis, messages: readonly (string | Buffer)[]): Promise<readonly Answer[]> {
    const trim = this.#trimTo === undefined ? [] : ["MAXLEN", "~", String(this.#trimTo)];
    const command = ["xadd", this.key, ...trim, "*", this.#field] as const;
    const replies = await sendEach(client, command, messages);
    return replies.map((reply) => (reply instanceof Error ? reply : 1));
  }
}
