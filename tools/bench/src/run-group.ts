import type { Case, Figures, Group, Run } from "./benchmark.ts";
import { median, pairedRatio, rounded } from "./statistics.ts";
import { checked } from "./table.ts";
import type { Line } from "./table.ts";

/** Measures the cases of a group by turns: in each round every case has one, in an order that changes. */
export async function runGroup({ title, cases }: Group, run: Run): Promise<readonly Line[]> {
  const { rounds, signal, logger } = run;
  const found = new Map(cases.map((each) => [each.case, [] as Figures[]]));
  const reasons = new Map<string, string>();
  for (let round = 1; round <= rounds; round++) {
    for (const { case: name, contender, optional, measure } of inOrderOf(cases, round)) {
      if (reasons.has(name)) continue;
      try {
        signal.throwIfAborted();
        const figures = await measure(run);
        found.get(name)?.push(figures);
        const text = Object.entries(figures).map(([figure, value]) => `${figure} ${rounded(value)}`);
        logger.info(
          { event: "measured", case: name, ...figures },
          `${name}, round ${round} of ${rounds}: ${text.join(", ")}`,
        );
      } catch (error) {
        if (optional !== true || signal.aborted) throw error;
        const reason = (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, " ");
        reasons.set(name, reason);
        logger.warn({ event: "notRun", case: name, reason }, `${contender} is not run: ${reason}`);
      }
    }
  }
  return cases.map((each) => {
    const { case: name, contender, version, targets } = each;
    const notRun = reasons.get(name);
    const figures = notRun === undefined ? figuresOf(each, found) : {};
    return {
      case: name,
      ...(title && { title }),
      contender,
      ...(version && { version }),
      figures,
      ...(notRun && { notRun }),
      ...(targets && !notRun && { targets: targets.map((target) => checked(target, figures)) }),
    };
  });
}

/**
 * A turn may affect the next one: over as many rounds as there are cases (twice as many if that is odd) each one runs after
 * each other one equally often, as in a balanced Latin square.
 */
function inOrderOf<T>(items: readonly T[], round: number): readonly T[] {
  const count = items.length;
  // First, second, last, third, last but one, ...
  const zigzag = items.map((_, i) => (i % 2 === 1 ? (i + 1) / 2 : count - i / 2) + round);
  const order = zigzag.flatMap((at) => items[at % count] ?? []);
  return count % 2 === 1 && Math.floor(round / count) % 2 === 1 ? order.reverse() : order;
}

/** Medians of the rounds of a case, and its ratios to others. */
function figuresOf(
  { case: name, ratios = [] }: Case,
  found: ReadonlyMap<string, readonly Figures[]>,
): Figures {
  const own = found.get(name) ?? [];
  const column = (rounds: readonly Figures[], figure: string): readonly number[] =>
    rounds.map((figures) => figures[figure] ?? Number.NaN);
  const figures: Record<string, number> = { rounds: own.length };
  for (const figure of Object.keys(own[0] ?? {})) figures[figure] = rounded(median(column(own, figure)));
  for (const { name: ratio, of, to } of ratios) {
    figures[ratio] = rounded(pairedRatio(column(own, of), column(found.get(to) ?? [], of)));
  }
  return figures;
}
