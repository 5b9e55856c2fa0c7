import type { SinkPartition } from "@millrace/dataflow";
import type { FramingSettings } from "../delivery/framing-options.ts";
import { partitionOf } from "../partitions/partition-of.ts";
import { sumOf } from "./publish-lane.ts";
import type { LaneStats, PublishLane } from "./publish-lane.ts";
import type { PublishRow } from "./pubsub-sink-options.ts";

/** What the parts of a sink have in common. */
export interface PublishPartsSettings {
  /** Channels or streams. */
  readonly names: readonly string[];
  /** With several names: the key that decides where a row goes. */
  readonly keyOf: ((row: PublishRow) => string) | undefined;
  readonly framing: FramingSettings | undefined;
}

/** The parts of a sink, and their counts: of those that are open, and of those that were. */
export class PublishParts {
  readonly #settings: PublishPartsSettings;
  readonly #open = new Set<PublishPart>();
  #built = 0;
  #closed: LaneStats = sumOf([]);

  constructor(settings: PublishPartsSettings) {
    this.#settings = settings;
  }

  /** Opens a part. @param openLane opens one channel or stream */
  async build(
    openLane: (name: string, framing: FramingSettings | undefined) => Promise<PublishLane>,
  ): Promise<PublishPart> {
    const { names, keyOf, framing } = this.#settings;
    // Two parts number their rows apart, so they are two producers.
    const numbered = framing && { ...framing, producer: `${framing.producer}.${this.#built}` };
    this.#built += 1;
    const lanes: PublishLane[] = [];
    try {
      for (const name of names) lanes.push(await openLane(name, numbered));
    } catch (error) {
      await Promise.all(lanes.map((lane) => lane.close()));
      throw error;
    }
    const part = new PublishPart(lanes, keyOf, () => {
      if (this.#open.delete(part)) this.#closed = sumOf([this.#closed, part.stats()]);
    });
    this.#open.add(part);
    return part;
  }

  stats(): LaneStats {
    return sumOf([this.#closed, ...Array.from(this.#open, (part) => part.stats())]);
  }
}

/** One part of a sink: its rows, divided by their key among the channels or streams that it writes to. */
export class PublishPart implements SinkPartition<PublishRow> {
  readonly #lanes: readonly PublishLane[];
  readonly #keyOf: ((row: PublishRow) => string) | undefined;
  readonly #onClosed: () => void;

  constructor(
    lanes: readonly PublishLane[],
    keyOf: ((row: PublishRow) => string) | undefined,
    onClosed: () => void,
  ) {
    this.#lanes = lanes;
    this.#keyOf = keyOf;
    this.#onClosed = onClosed;
  }

  stats(): LaneStats {
    return sumOf(this.#lanes.map((lane) => lane.stats()));
  }

  async writeBatch(rows: readonly PublishRow[]): Promise<void> {
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

  async flush(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.flush()));
  }

  async close(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.close()));
    this.#onClosed();
  }
}
