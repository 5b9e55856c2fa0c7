import type { Json, PartContext, Sink, SinkPartition } from "@millrace/dataflow";
import { resolveTarget } from "../connection/connection-options.ts";
import type { RedisConnectionOptions } from "../connection/connection-options.ts";
import { partitionOf } from "../partitions/partition-of.ts";
import { PublishLane } from "../pubsub/publish-lane.ts";
import type { PublishRow } from "../pubsub/pubsub-sink-options.ts";
import { StreamLink } from "./stream-link.ts";
import { resolveStreamSinkOptions } from "./stream-sink-options.ts";
import type { RedisStreamSinkOptions, StreamSinkSettings, StreamSinkStats } from "./stream-sink-options.ts";
import { StreamWriter } from "./stream-writer.ts";
import type { WriteCounts } from "./stream-writer.ts";

/** One stream as a part of the sink writes to it. */
interface Outlet {
  readonly lane: PublishLane;
  readonly writer: StreamWriter;
}

/**
 * Adds rows to Redis Streams, in order: each as an entry, or packed into frames. Each partition has a connection of
 * its own.
 *
 * A write resolves when Redis has taken every message that it completed. When a connection is lost, the sink waits for
 * the next one and goes on with the first unanswered message: nothing is left out, and what was taken just before the
 * loss may be in the stream twice. Frames keep their numbers, so a {@link RedisStreamSource} drops the repetition.
 */
export class RedisStreamSink implements Sink<PublishRow> {
  readonly #connection: RedisConnectionOptions;
  readonly #settings: StreamSinkSettings;
  readonly #open = new Set<Outlet>();
  #built = 0;
  #counts: WriteCounts = { published: 0, entries: 0, bytes: 0, resent: 0 };
  #pastWaits = 0;
  #pastDisconnects = 0;

  /** @throws RedisOptionsError */
  constructor(connection: RedisConnectionOptions, options: RedisStreamSinkOptions) {
    resolveTarget(connection);
    this.#connection = connection;
    this.#settings = resolveStreamSinkOptions(options);
  }

  /** @throws RedisError when there is no usable Redis within `connectTimeoutMs`; the reason of the context's signal */
  async buildPart(
    _part: string,
    _resume: Json | undefined,
    context: PartContext,
  ): Promise<SinkPartition<PublishRow>> {
    const outlets = await this.#openOutlets(context);
    const lanes = outlets.map(({ lane }) => lane);
    return {
      writeBatch: (rows) => this.#write(lanes, rows),
      flush: async () => {
        await Promise.all(lanes.map((lane) => lane.flush()));
      },
      close: () => this.#close(outlets),
    };
  }

  /** Counts so far; complete when the run is over. */
  stats(): StreamSinkStats {
    let waits = this.#pastWaits;
    let disconnects = this.#pastDisconnects;
    for (const { writer } of this.#open) {
      waits += writer.waits;
      disconnects += writer.disconnects;
    }
    return { ...this.#counts, waits, disconnects };
  }

  async #openOutlets(context: PartContext): Promise<readonly Outlet[]> {
    const { streams, framing } = this.#settings;
    // Two parts number their rows apart, so they are two producers.
    const part = this.#built;
    this.#built += 1;
    const numbered = framing && { ...framing, producer: `${framing.producer}.${part}` };
    const outlets: Outlet[] = [];
    try {
      for (const stream of streams) {
        const link = await StreamLink.open(this.#connection, stream, `sink ${stream}`, context);
        const writer = new StreamWriter(stream, link, this.#settings, context, (counts) => {
          this.#count(counts);
        });
        const outlet = { lane: PublishLane.open(writer, numbered, context), writer };
        outlets.push(outlet);
        this.#open.add(outlet);
      }
    } catch (error) {
      await this.#close(outlets);
      throw error;
    }
    return outlets;
  }

  async #write(lanes: readonly PublishLane[], rows: readonly PublishRow[]): Promise<void> {
    const { keyOf } = this.#settings;
    const [only, ...others] = lanes;
    if (only === undefined) return;
    if (others.length === 0 || keyOf === undefined) {
      await only.write(rows);
      return;
    }
    const shares: PublishRow[][] = lanes.map(() => []);
    for (const row of rows) shares[partitionOf(keyOf(row), lanes.length)]?.push(row);
    await Promise.all(lanes.map((lane, index) => lane.write(shares[index] ?? [])));
  }

  async #close(outlets: readonly Outlet[]): Promise<void> {
    await Promise.all(outlets.map(({ lane }) => lane.close()));
    for (const outlet of outlets) {
      if (!this.#open.delete(outlet)) continue;
      this.#pastWaits += outlet.writer.waits;
      this.#pastDisconnects += outlet.writer.disconnects;
    }
  }

  #count({ published, entries, bytes, resent }: WriteCounts): void {
    const before = this.#counts;
    this.#counts = {
      published: before.published + published,
      entries: before.entries + entries,
      bytes: before.bytes + bytes,
      resent: before.resent + resent,
    };
    this.#settings.onProgress?.(this.stats());
  }
}
