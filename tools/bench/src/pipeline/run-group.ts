import type { Logger } from "@millrace/dataflow";
import type { Bed } from "../conductor/bed.ts";
import type { Measurement } from "../conductor/contender.ts";
import { measureFloor } from "../conductor/floor.ts";
import { measureLatency } from "../conductor/latency.ts";
import type { Latency } from "../conductor/latency.ts";
import { measure } from "../conductor/trial.ts";
import type { TrialSize } from "../conductor/trial.ts";
import { median, pairedRatio, rounded } from "../statistics.ts";
import type { Entry, Group, Ratio, Target } from "./groups.ts";

/** What a case came to: medians of its rounds. */
export interface CaseLine extends Partial<Latency>, Partial<Record<Ratio, number>> {
  readonly case: string;
  readonly title: string;
  readonly contender: string;
  readonly events: number;
  readonly rounds: number;
  readonly cpuMicrosPerEvent: number;
  readonly eventsPerCpuSecond: number;
  readonly eventsPerSecond: number;
  readonly rssMiB: number;
  readonly targets?: readonly ToldTarget[];
}

/** A target, and whether it was met. */
export interface ToldTarget extends Target {
  readonly met: boolean;
}

/** How a group is run. */
export interface RunSettings {
  readonly rounds: number;
  /** Multiplies the number of events: below 1 for a quick look. */
  readonly scale: number;
  readonly latency: boolean;
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

/** Somebody with a turn in every round. */
interface Turn {
  readonly case: string;
  readonly contender: string;
  readonly measure: () => Promise<Measurement>;
  readonly figures: Measurement[];
}

/** Runs the rounds of a group: in each everybody has a turn, in a different order. */
export async function runGroup(bed: Bed, group: Group, settings: RunSettings): Promise<readonly CaseLine[]> {
  const { rounds, scale, signal, logger } = settings;
  const size: TrialSize = {
    events: Math.round(group.size.events * scale),
    warmUpEvents: Math.round(group.size.warmUpEvents * scale),
  };
  const participants = [group.reference, ...group.entries];
  const turns: Turn[] = participants.map(({ case: name, contender }) => ({
    case: name,
    contender: contender.name,
    measure: () => measure(bed, group.load, contender, size),
    figures: [],
  }));
  if (group.floor) {
    turns.push({
      case: `${group.name}-floor`,
      contender: "floor: the loop without Redis",
      measure: () => measureFloor(size),
      figures: [],
    });
  }
  for (let round = 1; round <= rounds; round++) {
    // Each comes behind each of the others in turn.
    for (const turn of rotated(turns, round)) {
      signal.throwIfAborted();
      const figures = await turn.measure();
      turn.figures.push(figures);
      const { cpuMicrosPerEvent: cpu } = figures;
      logger.info(
        { event: "round", case: turn.case, round, ...figures },
        `${turn.case}, round ${round} of ${rounds}: ${cpu.toFixed(3)} µs of CPU an event`,
      );
    }
  }
  const latencies = settings.latency ? await latenciesOf(bed, group, settings) : new Map<string, Latency>();
  return turns.map((turn) => {
    const entry = group.entries.find((each) => each.case === turn.case);
    return lineOf({ group, turn, turns, entry, size, latency: latencies.get(turn.case) });
  });
}

function rotated<T>(items: readonly T[], by: number): readonly T[] {
  const at = by % items.length;
  return [...items.slice(at), ...items.slice(0, at)];
}

async function latenciesOf(
  bed: Bed,
  { load, reference, entries }: Group,
  { signal, logger }: RunSettings,
): Promise<ReadonlyMap<string, Latency>> {
  const latencies = new Map<string, Latency>();
  for (const { case: name, contender, whenTimed = contender } of [reference, ...entries]) {
    signal.throwIfAborted();
    const latency = await measureLatency(bed, load, whenTimed);
    latencies.set(name, latency);
    logger.info(
      { event: "latency", case: name, ...latency },
      `${name}: rows after ${latency.latencyP50Ms} ms`,
    );
  }
  return latencies;
}

function lineOf({
  group,
  turn,
  turns,
  entry,
  size,
  latency,
}: {
  readonly group: Group;
  readonly turn: Turn;
  readonly turns: readonly Turn[];
  readonly entry: Entry | undefined;
  readonly size: TrialSize;
  readonly latency: Latency | undefined;
}): CaseLine {
  const of = (figure: keyof Measurement): number => median(turn.figures.map((each) => each[figure]));
  const against = (name: string | undefined): number | undefined => {
    const other = turns.find((each) => each.case === name);
    return other === undefined ? undefined : rounded(pairedRatio(cpuOf(turn), cpuOf(other)));
  };
  const toOff = entry === undefined || group.off === turn.case ? undefined : against(group.off);
  const ratios: Partial<Record<Ratio, number>> = {
    ...told("ratioToBareListener", against(group.reference.case)),
    ...told("ratioToFloor", against(`${group.name}-floor`)),
    ...told("rateToOff", toOff === undefined ? undefined : rounded(1 / toOff)),
  };
  const targets = entry?.targets?.map((target) => ({ ...target, met: isMet(target, ratios[target.ratio]) }));
  return {
    case: turn.case,
    title: group.title,
    contender: turn.contender,
    events: size.events,
    rounds: turn.figures.length,
    cpuMicrosPerEvent: rounded(of("cpuMicrosPerEvent")),
    eventsPerCpuSecond: Math.round(1e6 / of("cpuMicrosPerEvent")),
    eventsPerSecond: Math.round(of("eventsPerSecond")),
    rssMiB: Math.round(of("rssMiB")),
    ...ratios,
    ...latency,
    ...(targets === undefined ? {} : { targets }),
  };
}

function cpuOf({ figures }: Turn): readonly number[] {
  return figures.map(({ cpuMicrosPerEvent }) => cpuMicrosPerEvent);
}

function told(ratio: Ratio, figure: number | undefined): Partial<Record<Ratio, number>> {
  return figure === undefined ? {} : { [ratio]: figure };
}

function isMet({ atMost = Infinity, atLeast = 0 }: Target, figure = Number.NaN): boolean {
  return figure <= atMost && figure >= atLeast;
}
