import type { PartContext, SinkPartition, StartContext } from "@millrace/dataflow";
import type { RedisConnectionOptions } from "../connection/connection-options.ts";
import type { FramingSettings } from "../wire/framing-options.ts";
import { LastingNumbers } from "../wire/lasting-numbers.ts";
import { LAYOUT_ATTRIBUTE, LayoutRecord, checkLayout, isOnePartition } from "../partitions/layout-record.ts";
import type { LayoutSubject } from "../partitions/layout-record.ts";
import { LayoutRefusals } from "../partitions/layout-refusals.ts";
import { formatLayout } from "../partitions/partition-layout.ts";
import type { PartitionLayout } from "../partitions/partition-layout.ts";
import { partitionOf } from "../partitions/partition-of.ts";
import { sumOf } from "./publish-lane.ts";
import type { LaneFraming, LaneStats, PublishLane } from "./publish-lane.ts";
import type { PublishRow } from "./pubsub-sink-options.ts";

/** What the parts of a sink have in common. */
export interface PublishPartsSettings extends LayoutSubject {
  readonly layout: PartitionLayout;
  /** The layout takes the place of another one that is recorded. */
  readonly relayout: boolean;
  /** Channels or streams. */
  readonly names: readonly string[];
  /** With several names: the key that decides where a row goes. */
  readonly keyOf: ((row: PublishRow) => string) | undefined;
  readonly framing: FramingSettings | undefined;
}

/** The parts of a sink, and their counts: of those that are open, and of those that were. */
export class PublishParts {
  readonly #connection: RedisConnectionOptions;
  readonly #settings: PublishPartsSettings;
  readonly #refusals = new LayoutRefusals();
  /** Parts that are open or being opened. */
  #users = 0;
  #record: Promise<LayoutRecord> | undefined;
  /** A look that is not over yet serves all parts. */
  #check: Promise<void> | undefined;
  readonly #open = new Set<PublishPart>();
  #built = 0;
  #closed: LaneStats = sumOf([]);

  constructor(connection: RedisConnectionOptions, settings: PublishPartsSettings) {
    this.#connection = connection;
    this.#settings = settings;
  }

  /**
   * Looks at what a publisher could be refused for, and changes nothing.
   *
   * @throws PartitionLayoutError when another layout is recorded; RedisError when there is no usable Redis within
   *   `connectTimeoutMs`; the reason of the context's signal
   */
  check(context: StartContext): Promise<void> {
    const { layout, relayout } = this.#settings;
    this.#check ??= checkLayout(
      this.#connection,
      this.#settings,
      layout,
      relayout,
      context,
      this.#refusals,
    ).finally(() => {
      this.#check = undefined;
    });
    return this.#check;
  }

  /**
   * Opens a part.
   *
   * @param openLane opens one channel or stream
   * @throws PartitionLayoutError when another layout is recorded; ProducerNameError when another publisher has the name of
   *   a producer that lasts; what `openLane` throws
   */
  async build(
    context: PartContext,
    openLane: (name: string, framing: LaneFraming | undefined) => Promise<PublishLane>,
  ): Promise<PublishPart> {
    const { names, keyOf } = this.#settings;
    const framing = this.#numbered();
    const lanes: PublishLane[] = [];
    let record: LayoutRecord | undefined;
    /** Until a lane has them. */
    let numbers: LastingNumbers | undefined;
    this.#users += 1;
    try {
      record = await this.#recordLayout(context);
      for (const name of names) {
        if (framing?.lasting === true) numbers = await this.#claim(name, framing.producer, context);
        const producer = numbers === undefined ? {} : { producer: numbers.producer, numbers };
        lanes.push(await openLane(name, framing && { ...framing, ...producer }));
        numbers = undefined;
      }
    } catch (error) {
      await Promise.all([...lanes.map((lane) => lane.close()), numbers?.release(), this.#leave()]);
      throw error;
    }
    const part = new PublishPart(lanes, keyOf, record, async () => {
      if (!this.#open.delete(part)) return;
      this.#closed = sumOf([this.#closed, part.stats()]);
      await this.#leave();
    });
    this.#open.add(part);
    return part;
  }

  /** Two parts number their rows apart, so they are two producers. */
  #numbered(): LaneFraming | undefined {
    const { name, framing, layout } = this.#settings;
    const part = this.#built;
    this.#built += 1;
    if (framing === undefined) return undefined;
    const attributes = isOnePartition(name) ? {} : { [LAYOUT_ATTRIBUTE]: formatLayout(layout) };
    return { ...framing, producer: `${framing.producer}.${part}`, attributes };
  }

  #claim(channel: string, name: string, context: PartContext): Promise<LastingNumbers> {
    return LastingNumbers.claim(this.#connection, channel, name, context);
  }

  /** The first part does it for all. */
  async #recordLayout(context: PartContext): Promise<LayoutRecord | undefined> {
    const { layout, relayout } = this.#settings;
    if (isOnePartition(this.#settings.name)) return undefined;
    this.#record ??= LayoutRecord.open(
      this.#connection,
      this.#settings,
      layout,
      relayout,
      context,
      this.#refusals,
    );
    return this.#record;
  }

  /** The last part ends it. */
  async #leave(): Promise<void> {
    this.#users -= 1;
    if (this.#users > 0) return;
    const record = this.#record;
    this.#record = undefined;
    (await record?.catch(() => undefined))?.close();
  }

  stats(): LaneStats {
    return sumOf([this.#closed, ...Array.from(this.#open, (part) => part.stats())]);
  }
}

/** One part of a sink: its rows, divided by their key among the channels or streams that it writes to. */
export class PublishPart implements SinkPartition<PublishRow> {
  readonly #lanes: readonly PublishLane[];
  readonly #keyOf: ((row: PublishRow) => string) | undefined;
  readonly #layout: Pick<LayoutRecord, "throwIfRefused"> | undefined;
  readonly #onClosed: () => Promise<void>;

  constructor(
    lanes: readonly PublishLane[],
    keyOf: ((row: PublishRow) => string) | undefined,
    layout: Pick<LayoutRecord, "throwIfRefused"> | undefined,
    onClosed: () => Promise<void>,
  ) {
    this.#lanes = lanes;
    this.#keyOf = keyOf;
    this.#layout = layout;
    this.#onClosed = onClosed;
  }

  stats(): LaneStats {
    return sumOf(this.#lanes.map((lane) => lane.stats()));
  }

  /** @throws PartitionLayoutError when another publisher has changed the layout */
  async writeBatch(rows: readonly PublishRow[]): Promise<void> {
    this.#layout?.throwIfRefused();
    const keyOf = this.#keyOf;
    const [only, ...others] = this.#lanes;
    if (only === undefined) return;
    if (others.length === 0 || keyOf === undefined) {
      await only.write(rows);
      return;
    }
    const shares: PublishRow[][] = this.#lanes.map(() => []);
    for (const row of rows) shares[partitionOf(keyOf(row), shares.length)]?.push(row);
    await Promise.all(this.#lanes.map((lane, index) => lane.write(shares[index] ?? [])));
  }

  /** @throws PartitionLayoutError when another publisher has changed the layout */
  async flush(): Promise<void> {
    this.#layout?.throwIfRefused();
    await Promise.all(this.#lanes.map((lane) => lane.flush()));
  }

  async close(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.close()));
    await this.#onClosed();
  }
}
