import type { Redis } from "ioredis";
import type { PartContext } from "@millrace/dataflow";
import type { RetryingClient } from "../connection/retrying-client.ts";
import type { Answer, Room, Transport } from "../sink/transport.ts";
import { DATA_FIELD } from "./message-decoder.ts";
import { StreamRoom } from "./stream-room.ts";
import type { StreamLimit } from "./stream-room.ts";

/** Adds messages to one stream, each as an entry. */
export class StreamTransport implements Transport {
  readonly key: string;
  readonly #trimTo: number | undefined;
  readonly room: ((redis: RetryingClient) => Room) | undefined;

  constructor(stream: string, limit: StreamLimit | undefined, context: PartContext) {
    this.key = stream;
    if (limit?.whenFull === "trim") this.#trimTo = limit.maxLength;
    else if (limit !== undefined) this.room = (redis) => new StreamRoom(stream, redis, limit, context);
  }

  async send(client: Redis, messages: readonly (string | Buffer)[]): Promise<readonly Answer[]> {
    const pipeline = client.pipeline();
    for (const message of messages) {
      if (this.#trimTo === undefined) pipeline.xadd(this.key, "*", DATA_FIELD, message);
      else pipeline.xadd(this.key, "MAXLEN", "~", this.#trimTo, "*", DATA_FIELD, message);
    }
    const replies = (await pipeline.exec()) ?? [];
    return replies.map(([failure]) => failure ?? 1);
  }
}
