import { setTimeout as delay } from "node:timers/promises";
import { EXIT_CODES } from "@millrace/cli";
import type { LogLine, ProgramEnd } from "@millrace/local-redis/programs";
import type { AggregatorNeeds } from "../aggregator-needs.ts";
import { endingOf } from "../bed.ts";
import type { Bed } from "../bed.ts";
import type { Random } from "../random.ts";
import type { Round } from "../round.ts";

/** Something that goes wrong while events flow, on a bed of this kind. */
export interface Fault<B extends Bed> {
  /** What the aggregator must have been given before. */
  readonly needs: (random: Random) => AggregatorNeeds;
  /** Portions that it takes. `@default 1` */
  readonly portions?: number;
  /** Makes it happen, with a portion of events in flight; an aggregator that ended is replaced by the round. */
  readonly strike: (round: Round<B>) => Promise<void>;
}

const LONGEST_MOMENT_MS = 400;

export function anyMode(): AggregatorNeeds {
  return { mode: undefined, death: undefined };
}

export function paged(): AggregatorNeeds {
  return { mode: "paged", death: undefined };
}

/** Some time until something happens. */
export async function moment({ random }: Pick<Round<Bed>, "random">): Promise<void> {
  await delay(random.below(LONGEST_MOMENT_MS));
}

/** The aggregator must have ended as a failure with this code. */
export function requireRefusal(
  round: Pick<Round<Bed>, "problem">,
  end: ProgramEnd,
  code: string,
  what: string,
): void {
  if (end.code === EXIT_CODES.failure && end.log.some((line) => line["code"] === code)) return;
  round.problem(`${what}: the aggregator ended otherwise than with ${code}: ${endingOf(end)}`);
}

/** Whether a line was logged from this time on, ms since the epoch. */
export function since(from: number): (line: LogLine) => boolean {
  return ({ time }) => Date.parse(String(time)) >= from;
}

/** What a wait gives that is not for its result. */
export function ignore(): undefined {
  return undefined;
}
