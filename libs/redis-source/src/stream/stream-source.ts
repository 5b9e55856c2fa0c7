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
import { LayoutGuard, isOnePartition } from "../partitions/layout-record.ts";
import { layoutOf } from "../partitions/partition-layout.ts";
import { partitionNames } from "../partitions/partition-names.ts";
import { partitioningOf } from "../pubsub/pubsub-source-options.ts";
import { lookAtGroup } from "./group-commands.ts";
import { StreamConnections } from "./stream-connections.ts";
import { StreamPartition } from "./stream-partition.ts";
import { dividePosition, readPosition, unitePosition } from "./stream-position.ts";
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
  readonly #layout: LayoutGuard | undefined;

  /** @throws RedisOptionsError */
  constructor(connection: RedisConnectionOptions, options: RedisStreamSourceOptions) {
    resolveTarget(connection);
    const { stream, partitions = 1, partitionedBy, ...settings } = options;
    this.#connection = connection;
    this.#streams = partitionNames(stream, partitions);
    this.#settings = checkStreamSettings(withDefaults(DEFAULT_STREAM_SOURCE_OPTIONS, settings));
    this.#connections = new StreamConnections(connection, stream, this.#streams.length);
    this.partitioning = partitioningOf(this.#streams, partitionedBy);
    const layout = layoutOf(partitions, partitionedBy);
    if (isOnePartition(stream)) return;
    this.#layout = new LayoutGuard(
      connection,
      { name: stream, transport: "stream" },
      layout,
      () => this.#connections.needs,
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
    await this.#layout?.begin(context);
    const { group } = settingsIn(context.flow, this.#settings);
    if (group === undefined) return;
    await Promise.all(
      parts.map((stream) => lookAtGroup(this.#connection, stream, group, context, this.#connections.needs)),
    );
  }

  /** @throws RedisPositionError for a position of another kind of source, such as Pub/Sub */
  checkPosition(_part: string, position: Json): void {
    readPosition(position);
  }

  /**
   * @throws RedisPositionError if `resume` is no position in a stream; otherwise as {@link checkStart}
   */
  async buildPart(part: string, resume: Json | undefined, context: PartContext): Promise<StreamPartition> {
    if (!this.#streams.includes(part)) {
      throw new RedisOptionsError(`There is no stream "${part}". Give one of ${this.#streams.join(", ")}.`);
    }
    await this.#layout?.begin(context);
    const settings = settingsIn(context.flow, this.#settings);
    return StreamPartition.open(this.#connections, part, resume, settings, this.#layout, context);
  }
}
