import type { Logger } from "@millrace/dataflow";
import type { Measurement } from "../conductor/contender.ts";
import type { TrialSize } from "../conductor/trial.ts";

/** Somebody with a turn in every round. */
export interface Turn<Figures extends object = Measurement> {
  readonly case: string;
  readonly contender: string;
  readonly measure: () => Promise<Figures>;
  /** One for each round. */
  readonly figures: Figures[];
  /** Takes a failed trial; no more turns follow. @default the run fails with it */
  readonly failed?: (error: unknown) => void;
}

/** How rounds are run. */
export interface RoundSettings {
  readonly rounds: number;
  /** Multiplies the number of events: below 1 for a quick look. */
  readonly scale: number;
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

/** A trial's size in a run of such a scale. */
export function scaledSize({ events, warmUpEvents }: TrialSize, scale: number): TrialSize {
  return { events: Math.round(events * scale), warmUpEvents: Math.round(warmUpEvents * scale) };
}

/**
 * Runs the rounds: in each everybody has a turn, in an order that changes.
 *
 * @param tell says in a few words what a turn came to
 */
export async function runRounds<Figures extends object>(
  turns: readonly Turn<Figures>[],
  settings: RoundSettings,
  tell: (figures: Figures) => string,
): Promise<void> {
  const { rounds, signal, logger } = settings;
  const out = new Set<Turn<Figures>>();
  for (let round = 1; round <= rounds; round++) {
    for (const turn of inOrderOf(turns, round)) {
      signal.throwIfAborted();
      if (out.has(turn)) continue;
      try {
        const figures = await turn.measure();
        turn.figures.push(figures);
        logger.info(
          { event: "round", case: turn.case, round, ...figures },
          `${turn.case}, round ${round} of ${rounds}: ${tell(figures)}`,
        );
      } catch (error) {
        if (signal.aborted || turn.failed === undefined) throw error;
        turn.failed(error);
        out.add(turn);
      }
    }
  }
}

/**
 * Who comes before one may leave the machine warm: over as many rounds as there are turns (twice as many where that
 * is odd) each comes behind each of the others equally often, as in a balanced Latin square.
 */
function inOrderOf<T>(items: readonly T[], round: number): readonly T[] {
  const count = items.length;
  // First, second, last, third, last but one, ...
  const zigzag = items.map((_, i) => (i % 2 === 1 ? (i + 1) / 2 : count - i / 2) + round);
  const order = zigzag.flatMap((at) => items[at % count] ?? []);
  return count % 2 === 1 && Math.floor(round / count) % 2 === 1 ? order.reverse() : order;
}
