import type { Load } from "../conductor/bed.ts";
import type { Contender } from "../conductor/contender.ts";
import type { TrialSize } from "../conductor/trial.ts";
import type { Target } from "../rounds/targets.ts";
import { bareListener, bareXread, millrace, wholeClicks } from "./contenders.ts";

/** A ratio that is told of a case. CPU time per event against that of another one, but for `rateToOff`. */
export type Ratio = "ratioToBareListener" | "ratioToFloor" | "rateToOff";

/** Somebody who takes part in a group. */
export interface Entry {
  readonly case: string;
  readonly contender: Contender;
  readonly targets?: readonly Target<Ratio>[];
  /** Options that make windows close at once, so that latency is the program's own. */
  readonly whenTimed?: Contender;
}

/** Contenders that take turns over the same events. */
export interface Group {
  readonly name: string;
  readonly title: string;
  readonly load: Load;
  readonly size: TrialSize;
  /** The loop written by hand. */
  readonly reference: Entry;
  readonly entries: readonly Entry[];
  /** Whether the floor takes its turns too. */
  readonly floor?: true;
  /** Of two entries, the one against which the other's rate is told. */
  readonly off?: string;
}

const MILLION = 1_000_000;

function pubSub(
  name: string,
  title: string,
  batch: number | undefined,
  targets: readonly (readonly Target<Ratio>[])[],
): Group {
  const [projected = [], whole = []] = targets;
  return {
    name,
    title,
    load: { transport: "pubsub", batch },
    size: { events: batch === undefined ? MILLION : 3 * MILLION, warmUpEvents: 200_000 },
    reference: { case: `${name}-bare-listener`, contender: bareListener() },
    entries: [
      { case: name, contender: millrace("Millrace"), targets: projected },
      { case: `${name}-whole`, contender: wholeClicks("Millrace, projection off"), targets: whole },
    ],
    floor: true,
  };
}

function stream(name: string, title: string, batch: number): Group {
  const off = (args: readonly string[]): Contender =>
    millrace("Millrace, exactly-once off", ["--store=none", ...args]);
  const on = (args: readonly string[]): Contender =>
    millrace("Millrace, exactly-once on", ["--sink=redis", ...args], "redis");
  const atOnce = ["--clock=publish:0ms"];
  return {
    name,
    title,
    load: { transport: "stream", batch },
    size: { events: batch === 1 ? 600_000 : 2 * MILLION, warmUpEvents: 200_000 },
    reference: { case: `${name}-bare-loop`, contender: bareXread },
    entries: [
      { case: `${name}-off`, contender: off([]), whenTimed: off(atOnce) },
      {
        case: `${name}-on`,
        contender: on([]),
        whenTimed: on(atOnce),
        targets: [{ ratio: "rateToOff", atLeast: 0.85 }],
      },
    ],
    off: `${name}-off`,
  };
}

/** Which client library the bare listener is best written with. */
const CLIENTS: Group = {
  name: "clients",
  title: "The bare listener by client library",
  load: { transport: "pubsub", batch: undefined },
  size: { events: MILLION, warmUpEvents: 200_000 },
  reference: { case: "clients-ioredis5", contender: bareListener("ioredis5") },
  entries: [
    { case: "clients-ioredis6", contender: bareListener("ioredis6") },
    { case: "clients-ioredis6-resp2", contender: bareListener("ioredis6-resp2") },
  ],
};

export const GROUPS: readonly Group[] = [
  CLIENTS,
  pubSub("pubsub-bare", "Pub/Sub, bare lines", undefined, [
    [{ ratio: "ratioToBareListener", atMost: 0.9 }],
    [{ ratio: "ratioToBareListener", atMost: 1.15 }],
  ]),
  pubSub("pubsub-frames", "Pub/Sub, frames of 64", 64, [
    [{ ratio: "ratioToFloor", atMost: 0.6 }],
    [{ ratio: "ratioToFloor", atMost: 1.4 }],
  ]),
  stream("stream-1", "Streams, frames of 1", 1),
  stream("stream-64", "Streams, frames of 64", 64),
];
