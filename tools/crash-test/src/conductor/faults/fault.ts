import { setTimeout as delay } from "node:timers/promises";
import { EXIT_CODES } from "@millrace/cli";
import type { LogLine, ProgramEnd } from "@millrace/local-redis/programs";
import type { AggregatorNeeds } from "../aggregator-needs.ts";
import { endingOf } from "../bed.ts";
import type { Bed } from "../bed.ts";
import type { Round } from "../round.ts";

const LONGEST_MOMENT_MS = 400;

export function anyMode(): AggregatorNeeds {
  return { mode: undefined, death: undefined };
}

export function paged(): AggregatorNeeds {
  return { mode: "paged", death: undefined };
}

/** A random delay before a fault. */
export async function moment({ random }: Pick<Round<Bed>, "random">): Promise<void> {
  await delay(random.below(LONGEST_MOMENT_MS));
}

/** Reports a problem unless the aggregator failed with this code. */
export function requireRefusal(
  round: Pick<Round<Bed>, "problem">,
  end: ProgramEnd,
  code: string,
  what: string,
): void {
  if (end.code === EXIT_CODES.failure && end.log.some((line) => line["code"] === code)) return;
  round.problem(`${what}: the aggregator ended otherwise than with ${code}: ${endingOf(end)}`);
}

/** Whether a line was logged at or after this time, ms since the epoch. */
export function since(from: number): (line: LogLine) => boolean {
  return ({ time }) => Date.parse(String(time)) >= from;
}

/** Result of a wait whose value is not used. */
export function ignore(): undefined {
  return undefined;
}
