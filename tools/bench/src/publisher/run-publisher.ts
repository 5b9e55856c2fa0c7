import type { Bed, Load } from "../conductor/bed.ts";
import { selfMeasured } from "../conductor/self-measured.ts";
import { runRounds } from "../rounds/run-rounds.ts";
import type { RoundSettings, Turn } from "../rounds/run-rounds.ts";
import { toldTargets } from "../rounds/targets.ts";
import type { Target, ToldTarget } from "../rounds/targets.ts";
import { median, pairedRatio, rounded } from "../statistics.ts";

/** Events per second against the bare loop's. */
export type PublisherRatio = "rateToBareLoop";

/** What a publisher came to. */
export interface PublisherLine extends Partial<Record<PublisherRatio, number>> {
  readonly case: string;
  readonly title: string;
  readonly contender: string;
  readonly events: number;
  readonly rounds: number;
  readonly eventsPerSecond: number;
  readonly targets?: readonly ToldTarget<PublisherRatio>[];
}

/** A way to publish, in which both take turns. */
export interface PublisherGroup {
  readonly name: string;
  readonly title: string;
  readonly load: Load;
  readonly events: number;
}

interface Rate {
  readonly eventsPerSecond: number;
}

const TARGETS: readonly Target<PublisherRatio>[] = [{ ratio: "rateToBareLoop", atLeast: 0.9 }];

export const PUBLISHER_GROUPS: readonly PublisherGroup[] = [
  {
    name: "bare",
    title: "Publishing bare lines",
    load: { transport: "pubsub", batch: undefined },
    events: 1_000_000,
  },
  {
    name: "frames",
    title: "Publishing frames of 64",
    load: { transport: "pubsub", batch: 64 },
    events: 3_000_000,
  },
];

/** Measures the publisher and the bare loop by turns, with nobody subscribed: how fast they get rid of the same bytes. */
export async function runPublisher(
  bed: Bed,
  { name, title, load, events: most }: PublisherGroup,
  settings: RoundSettings,
): Promise<readonly PublisherLine[]> {
  const events = Math.round(most * settings.scale);
  const bare: Turn<Rate> = {
    case: `${name}-loop`,
    contender: "bare ioredis pipeline loop",
    measure: () => bareRate(bed, load, events),
    figures: [],
  };
  const own: Turn<Rate> = {
    case: name,
    contender: "Millrace's publisher",
    measure: async () => {
      const { perSecond } = await bed.publish(load, bed.newChannel(), events, { heard: false });
      return { eventsPerSecond: Number(perSecond) };
    },
    figures: [],
  };
  await runRounds([bare, own], settings, ({ eventsPerSecond }) => `${Math.round(eventsPerSecond)} events/s`);
  const lineOf = (turn: Turn<Rate>): PublisherLine => ({
    case: turn.case,
    title,
    contender: turn.contender,
    events,
    rounds: turn.figures.length,
    eventsPerSecond: Math.round(median(ratesOf(turn))),
  });
  const ratios = { rateToBareLoop: rounded(pairedRatio(ratesOf(own), ratesOf(bare))) };
  return [lineOf(bare), { ...lineOf(own), ...ratios, targets: toldTargets(TARGETS, ratios) }];
}

function ratesOf({ figures }: Turn<Rate>): readonly number[] {
  return figures.map(({ eventsPerSecond }) => eventsPerSecond);
}

function bareRate(bed: Bed, { batch = 1 }: Load, events: number): Promise<Rate> {
  return selfMeasured("bare-publisher", [bed.redis.url, bed.newChannel(), String(events), String(batch)]);
}
