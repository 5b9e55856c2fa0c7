import type { Redis } from "ioredis";
import type { PartContext } from "@millrace/dataflow";
import type { RetryingClient } from "../connection/retrying-client.ts";
import type { Answer, Room, Transport } from "../sink/transport.ts";
import { StreamRoom } from "./stream-room.ts";
import type { StreamLimit } from "./stream-room.ts";

/** Adds messages to one stream, each as an entry. */
export class StreamTransport implements Transport {
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
    const pipeline = client.pipeline();
    for (const message of messages) {
      if (this.#trimTo === undefined) pipeline.xadd(this.key, "*", this.#field, message);
      else pipeline.xadd(this.key, "MAXLEN", "~", this.#trimTo, "*", this.#field, message);
    }
    const replies = (await pipeline.exec()) ?? [];
    return replies.map(([failure]) => failure ?? 1);
  }
}
