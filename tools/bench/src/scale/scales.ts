import type { Load } from "../conductor/bed.ts";
import type { TrialSize } from "../conductor/trial.ts";

/** One end of something that grows. */
export interface ScaleEnd {
  readonly case: string;
  readonly contender: string;
  readonly load: Load;
  readonly size: TrialSize;
}

/** Something that grows: a large case against a small one. */
export interface Scale {
  readonly name: string;
  readonly title: string;
  readonly small: ScaleEnd;
  readonly large: ScaleEnd;
}

const MILLION = 1_000_000;
const FRAMES: Load = { transport: "pubsub", batch: 64 };
const BARE: Load = { transport: "pubsub", batch: undefined };

function end(name: string, contender: string, events: number, load: Load): ScaleEnd {
  return { case: name, contender, load, size: { events, warmUpEvents: 200_000 } };
}

export const SCALES: readonly Scale[] = [
  {
    name: "events",
    title: "From 1 to 10 million events",
    small: end("events-1M", "1 million events", MILLION, BARE),
    large: end("events-10M", "10 million events", 10 * MILLION, BARE),
  },
  {
    name: "partitions",
    title: "From 1 to 64 partitions, bare lines",
    small: end("partitions-1", "1 partition", MILLION, BARE),
    large: end("partitions-64", "64 partitions", MILLION, { ...BARE, partitions: 64 }),
  },
  {
    name: "partitions-frames",
    title: "From 1 to 64 partitions, frames of 64",
    small: end("partitions-frames-1", "1 partition", 3 * MILLION, FRAMES),
    large: end("partitions-frames-64", "64 partitions", 3 * MILLION, { ...FRAMES, partitions: 64 }),
  },
];
