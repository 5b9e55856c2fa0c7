import type { Measurement } from "./contender.ts";
import { selfMeasured } from "./self-measured.ts";
import type { TrialSize } from "./trial.ts";

interface FloorReport {
  readonly cpuMicros: number;
  readonly elapsedMs: number;
  readonly rssMiB: number;
}

/** Measures the loop that parses and counts over lines in memory, in a process of its own: no Redis, nothing received. */
export async function measureFloor({ events, warmUpEvents }: TrialSize): Promise<Measurement> {
  const args = ["1000", String(warmUpEvents), String(events)];
  const { cpuMicros, elapsedMs, rssMiB } = await selfMeasured<FloorReport>("floor", args);
  return { cpuMicrosPerEvent: cpuMicros / events, eventsPerSecond: (events * 1_000) / elapsedMs, rssMiB };
}
