import { withDefaults } from "@millrace/dataflow";
import type {
  Json,
  PartContext,
  Partitioning,
  PositionCodec,
  RawLine,
  Source,
  StartContext,
} from "@millrace/dataflow";
import { resolveTarget } from "../connection/connection-options.ts";
import type { RedisConnectionOptions } from "../connection/connection-options.ts";
import { RedisOptionsError } from "../errors.ts";
import { LayoutGuards } from "../partitions/layout-guards.ts";
import { layoutOf } from "../partitions/partition-layout.ts";
import { partitionsOf } from "../partitions/partition-names.ts";
import { partitioningOf } from "../pubsub/pubsub-source-options.ts";
import { sourceFrom } from "../wire/line-with-origin.ts";
import type { LineWithOrigin } from "../wire/line-with-origin.ts";
import { wholeAfter } from "./beginning.ts";
import type { DeliverLines } from "./entry-decoder.ts";
import { lookAtGroup } from "./group-commands.ts";
import { StreamConnections } from "./stream-connections.ts";
import { StreamPartition } from "./stream-partition.ts";
import { dividePosition, readPosition, readResume, unitePosition } from "./stream-position.ts";
import { DEFAULT_STREAM_SOURCE_OPTIONS, checkStreamSettings, settingsIn } from "./stream-source-options.ts";
import type { RedisStreamSourceOptions, StreamSourceSettings } from "./stream-source-options.ts";

/**
 * Reads Redis Streams, each a partition. The position is part of the task's commit: after a crash, reading continues right
 * after what was committed, and duplicates of a producer are dropped by their numbers.
 *
 * Entries that are trimmed before they are read are lost, and counted.
 */
export class RedisStreamSource implements Source<RawLine> {
  readonly partitioning: Partitioning;
  /** The account of numbers grows with the producers: a commit keeps what changed of it. */
  readonly positions: PositionCodec = { divide: dividePosition, unite: unitePosition };
  readonly #connection: RedisConnectionOptions;
  readonly #streams: readonly string[];
  readonly #settings: StreamSourceSettings;
  readonly #connections: StreamConnections;
  readonly #layouts: LayoutGuards;

  /** @throws RedisOptionsError */
  constructor(connection: RedisConnectionOptions, options: RedisStreamSourceOptions) {
    resolveTarget(connection);
    const { stream, partitions = 1, partitionedBy, ...settings } = options;
    this.#connection = connection;
    this.#streams = partitionsOf(stream, partitions);
    this.#settings = checkStreamSettings(withDefaults(DEFAULT_STREAM_SOURCE_OPTIONS, settings));
    this.#connections = new StreamConnections(connection, String(stream), this.#streams.length);
    this.partitioning = partitioningOf(this.#streams, partitionedBy);
    this.#layouts = new LayoutGuards(
      connection,
      stream,
      "stream",
      layoutOf(partitions, partitionedBy),
      () => {
        return this.#connections.needs;
      },
    );
  }

  listParts(): Promise<readonly string[]> {
    return Promise.resolve(this.#streams);
  }

  /**
   * @throws PartitionLayoutError if publishers divide the stream differently; RedisGroupError if the consumer group named
   *   `group` belongs to another program; RedisError if there is no usable Redis within `connectTimeoutMs`; the reason of
   *   the context's signal
   */
  async checkStart(parts: readonly string[], context: StartContext): Promise<void> {
    this.#connections.expect(parts.length);
    await this.#layouts.begin(parts, context);
    const { group } = settingsIn(context.flow, this.#settings);
    if (group === undefined) return;
    await Promise.all(
      parts.map((stream) => lookAtGroup(this.#connection, stream, group, context, this.#connections.needs)),
    );
  }

  /** @throws RedisPositionError for a position of another kind of source, such as Pub/Sub */
  checkPosition(_part: string, position: Json): void {
    readResume(position);
  }

  /** The first millisecond whose entries all come after the position. */
  wholeAfter(position: Json): number {
    return wholeAfter(readPosition(position).id);
  }

  /**
   * @throws RedisPositionError if `resume` is no position in a stream; otherwise as {@link checkStart}
   */
  buildPart(part: string, resume: Json | undefined, context: PartContext): Promise<StreamPartition> {
    return this.#open(part, resume, context, (lines) => lines);
  }

  /**
   * The same source, whose lines come with the name of their stream and the other fields of their entry. A flow reads
   * either this or the source itself.
   */
  withOrigin(): Source<LineWithOrigin> {
    const { entries } = this.#settings;
    return sourceFrom(this, (channel, resume, context) =>
      this.#open(channel, resume, context, (lines, all) => {
        const fields = entries === "fields" ? {} : otherFields(all, entries.field);
        return lines.map((line) => ({ line, channel, fields }));
      }),
    );
  }

  async #open<T>(
    part: string,
    resume: Json | undefined,
    context: PartContext,
    deliver: DeliverLines<T>,
  ): Promise<StreamPartition<T>> {
    if (!this.#streams.includes(part)) {
      throw new RedisOptionsError(`There is no stream "${part}". Give one of ${this.#streams.join(", ")}.`);
    }
    await this.#layouts.begin([part], context);
    const settings = settingsIn(context.flow, this.#settings);
    const layout = this.#layouts.of(part);
    return StreamPartition.open(this.#connections, part, resume, settings, layout, deliver, context);
  }
}

/** The fields of an entry as text, besides the one that holds the message. */
function otherFields(all: readonly Buffer[], payload: string): Readonly<Record<string, string>> {
  const fields: (readonly [name: string, value: string])[] = [];
  for (let i = 0; i + 1 < all.length; i += 2) {
    const name = String(all[i]);
    if (name !== payload) fields.push([name, String(all[i + 1])]);
  }
  return Object.fromEntries(fields);
}
