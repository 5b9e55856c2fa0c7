import type { Bed } from "../conductor/bed.ts";
import { measureFloor } from "../conductor/floor.ts";
import { measureLatency } from "../conductor/latency.ts";
import type { Latency } from "../conductor/latency.ts";
import { measure } from "../conductor/trial.ts";
import type { TrialSize } from "../conductor/trial.ts";
import { cpuRatio, cpuText, figuresOf } from "../rounds/figures.ts";
import type { CaseFigures } from "../rounds/figures.ts";
import { runRounds, scaledSize } from "../rounds/run-rounds.ts";
import type { RoundSettings, Turn } from "../rounds/run-rounds.ts";
import { toldTargets } from "../rounds/targets.ts";
import type { ToldTarget } from "../rounds/targets.ts";
import { rounded } from "../statistics.ts";
import type { Entry, Group, Ratio } from "./groups.ts";

/** What a case came to. */
export interface CaseLine extends CaseFigures, Partial<Latency>, Partial<Record<Ratio, number>> {
  readonly case: string;
  readonly title: string;
  readonly contender: string;
  readonly events: number;
  readonly targets?: readonly ToldTarget<Ratio>[];
}

/** How a group is run. */
export interface RunSettings extends RoundSettings {
  readonly latency: boolean;
}

/** Runs the rounds of a group, and what else is told of it. */
export async function runGroup(bed: Bed, group: Group, settings: RunSettings): Promise<readonly CaseLine[]> {
  const size = scaledSize(group.size, settings.scale);
  const participants = [group.reference, ...group.entries];
  const turns: Turn[] = participants.map(({ case: name, contender }) => ({
    case: name,
    contender: contender.name,
    measure: () => measure(bed, group.load, contender, size),
    figures: [],
  }));
  if (group.floor === true) {
    turns.push({
      case: `${group.name}-floor`,
      contender: "floor: the loop without Redis",
      measure: () => measureFloor(size),
      figures: [],
    });
  }
  await runRounds(turns, settings, cpuText);
  const latencies = settings.latency ? await latenciesOf(bed, group, settings) : new Map<string, Latency>();
  return turns.map((turn) => {
    const entry = group.entries.find((each) => each.case === turn.case);
    return lineOf({ group, turn, turns, entry, size, latency: latencies.get(turn.case) });
  });
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
  const against = (name: string | undefined): number | undefined => {
    const other = turns.find((each) => each.case === name);
    return other === undefined ? undefined : cpuRatio(turn, other);
  };
  const toOff = entry === undefined || group.off === turn.case ? undefined : against(group.off);
  const ratios: Partial<Record<Ratio, number>> = {
    ...told("ratioToBareListener", against(group.reference.case)),
    ...told("ratioToFloor", against(`${group.name}-floor`)),
    ...told("rateToOff", toOff === undefined ? undefined : rounded(1 / toOff)),
  };
  return {
    case: turn.case,
    title: group.title,
    contender: turn.contender,
    events: size.events,
    ...figuresOf(turn),
    ...ratios,
    ...latency,
    ...(entry?.targets === undefined ? {} : { targets: toldTargets(entry.targets, ratios) }),
  };
}

function told(ratio: Ratio, figure: number | undefined): Partial<Record<Ratio, number>> {
  return figure === undefined ? {} : { [ratio]: figure };
}
