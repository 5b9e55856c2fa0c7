import { startProgram } from "@millrace/local-redis/programs";
import type { StartedProgram, StartProcessOptions } from "@millrace/local-redis/programs";
import type { Figures } from "../benchmark.ts";
import { CHANNEL } from "./bed.ts";
import type { Bed, Load } from "./bed.ts";
import { appMain, programFile } from "./entry-files.ts";
import { WINDOW_MS } from "./tally.ts";

/** Runs one of this project's programs that measures itself. @returns the figures that it prints first */
export async function selfMeasured(program: string, args: readonly (string | number)[]): Promise<Figures> {
  const started = startProgram(programFile(program), { args: args.map(String) });
  return JSON.parse(await started.printed(() => true)) as Figures;
}

/** A program that counts mobile events by time zone in tumbling windows, and can be compared with others. */
export interface Contender {
  readonly name: string;
  readonly start: (bed: Bed, load: Load, options: StartProcessOptions) => StartedProgram;
  /** Destination of its rows. @default "stdout" */
  readonly rows?: "stdout" | "redis";
  /** Share of a core that it may take while it has nothing to do: some ask for events over and over. @default 0 */
  readonly idling?: number;
  /** Events that it gets for each that the others get: a slow one would take for ever. @default 1 */
  readonly share?: number;
}

/** The real aggregator, with its defaults except for what is given. */
export function millrace(name: string, more: readonly string[] = [], rows?: "redis"): Contender {
  const start: Contender["start"] = (bed, { transport, partitions = 1 }, options) => {
    const input = [`--transport=${transport}`, `--channel=${CHANNEL}`, `--partitions=${partitions}`];
    const args = [...input, `--window=tumbling:${WINDOW_MS}ms`, "--log-level=warn", ...more];
    return startProgram(appMain("aggregator"), { ...options, args, env: bed.env });
  };
  return { name, start, ...(rows && { rows }) };
}

/** One of this project's programs; its arguments are Redis, channel, and what `more` gives. */
export function ownProgram(
  name: string,
  program: string,
  more: (load: Load) => readonly (string | number)[],
): Contender {
  const start: Contender["start"] = (bed, load, options) =>
    startProgram(programFile(program), {
      ...options,
      args: [bed.url, CHANNEL, ...more(load)].map(String),
    });
  return { name, start };
}
