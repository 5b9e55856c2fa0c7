import type { Measurement } from "../conductor/contender.ts";
import { median, pairedRatio, rounded } from "../statistics.ts";
import type { Turn } from "./run-rounds.ts";

/** What a case came to: medians of its rounds. */
export interface CaseFigures {
  readonly rounds: number;
  readonly cpuMicrosPerEvent: number;
  readonly eventsPerCpuSecond: number;
  readonly eventsPerSecond: number;
  readonly rssMiB: number;
}

export function figuresOf({ figures }: Turn): CaseFigures {
  const of = (figure: keyof Measurement): number => median(figures.map((each) => each[figure]));
  return {
    rounds: figures.length,
    cpuMicrosPerEvent: rounded(of("cpuMicrosPerEvent")),
    eventsPerCpuSecond: Math.round(1e6 / of("cpuMicrosPerEvent")),
    eventsPerSecond: Math.round(of("eventsPerSecond")),
    rssMiB: Math.round(of("rssMiB")),
  };
}

/** What a measurement came to, in a few words. */
export function cpuText({ cpuMicrosPerEvent }: Measurement): string {
  return `${cpuMicrosPerEvent.toFixed(3)} µs of CPU an event`;
}

/** CPU time per event against another's, round by round. */
export function cpuRatio(turn: Turn, other: Turn): number {
  return rounded(pairedRatio(cpuOf(turn), cpuOf(other)));
}

function cpuOf({ figures }: Turn): readonly number[] {
  return figures.map(({ cpuMicrosPerEvent }) => cpuMicrosPerEvent);
}
