import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Measurement } from "./contender.ts";
import { nodeArgs, programFile } from "./paths.ts";
import type { TrialSize } from "./trial.ts";

interface FloorReport {
  readonly cpuMicros: number;
  readonly elapsedMs: number;
  readonly rssMiB: number;
}

/** Measures the loop that parses and counts over lines in memory, in a process of its own: no Redis, nothing received. */
export async function measureFloor({ events, warmUpEvents }: TrialSize): Promise<Measurement> {
  const args = nodeArgs(programFile("floor"), ["1000", String(warmUpEvents), String(events)]);
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const ended = once(child, "close").then(() => {
    throw new Error("The floor ended before it was measured.");
  });
  ended.catch(() => undefined);
  const told = once(child, "message").then(([message]) => message as FloorReport);
  const { cpuMicros, elapsedMs, rssMiB } = await Promise.race([told, ended]);
  return { cpuMicrosPerEvent: cpuMicros / events, eventsPerSecond: (events * 1_000) / elapsedMs, rssMiB };
}
