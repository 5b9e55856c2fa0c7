/** The results of one measurement by name; names include units. */
export type Figures = Readonly<Record<string, number>>;

/** A participant with a turn in every round. */
export interface Turn {
  readonly case: string;
  readonly measure: () => Promise<Figures>;
  /** Takes a failed measurement, or throws it again; no more turns follow. @default the run fails with it */
  readonly failed?: (error: unknown) => void;
}

/** How rounds are run. */
export interface RoundSettings {
  readonly rounds: number;
  readonly signal?: AbortSignal;
  readonly onFigures?: (name: string, round: number, figures: Figures) => void;
}

/**
 * Runs the rounds: in each, every participant has a turn, in an order that changes.
 *
 * @returns the figures of each case, one for each round
 */
export async function runRounds(
  turns: readonly Turn[],
  { rounds, signal, onFigures }: RoundSettings,
): Promise<ReadonlyMap<string, readonly Figures[]>> {
  const found = new Map(turns.map((turn) => [turn.case, [] as Figures[]]));
  const out = new Set<Turn>();
  for (let round = 1; round <= rounds; round++) {
    for (const turn of inOrderOf(turns, round)) {
      signal?.throwIfAborted();
      if (out.has(turn)) continue;
      try {
        const figures = await turn.measure();
        found.get(turn.case)?.push(figures);
        onFigures?.(turn.case, round, figures);
      } catch (error) {
        if (turn.failed === undefined) throw error;
        turn.failed(error);
        out.add(turn);
      }
    }
  }
  return found;
}

/**
 * A turn may affect the next one: over as many rounds as there are turns (twice as many if that is odd) each one runs after
 * each other one equally often, as in a balanced Latin square.
 */
function inOrderOf<T>(items: readonly T[], round: number): readonly T[] {
  const count = items.length;
  // First, second, last, third, last but one, ...
  const zigzag = items.map((_, i) => (i % 2 === 1 ? (i + 1) / 2 : count - i / 2) + round);
  const order = zigzag.flatMap((at) => items[at % count] ?? []);
  return count % 2 === 1 && Math.floor(round / count) % 2 === 1 ? order.reverse() : order;
}
