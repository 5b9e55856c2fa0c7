import { once } from "node:events";
import type { Figures, Group, Run } from "./benchmark.ts";
import { median, pairedRatio, rounded } from "./statistics.ts";
import type { Line } from "./table.ts";

/** Measures the cases of a group by turns: in each round every case has one, in an order that changes. */
export async function runGroup({ name: group, cases }: Group, run: Run): Promise<readonly Line[]> {
  const { rounds, signal, logger } = run;
  const aborted = once(signal, "abort").then(() => Promise.reject(signal.reason as Error));
  const found = new Map(cases.map(({ name }) => [name, [] as Figures[]]));
  const reasons = new Map<string, string>();
  for (let round = 1; round <= rounds; round++) {
    for (const { name, contender, optional, measure } of inOrderOf(cases, round)) {
      if (reasons.has(name)) continue;
      try {
        signal.throwIfAborted();
        // Everything that a turn has started ends with this process.
        const figures = await Promise.race([measure(run), aborted]);
        found.get(name)?.push(figures);
        const text = Object.entries(figures).map(([figure, value]) => `${figure} ${rounded(value)}`);
        const message = `${contender}, round ${round} of ${rounds}: ${text.join(", ")}`;
        logger.info({ event: "measured", group, case: name, ...figures }, message);
      } catch (error) {
        if (optional !== true || signal.aborted) throw error;
        const reason = (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, " ");
        reasons.set(name, reason);
        logger.warn({ event: "notRun", group, case: name, reason }, `${contender} is not run: ${reason}`);
      }
    }
  }
  const column = (name: string, figure: string): readonly number[] =>
    (found.get(name) ?? []).map((figures) => figures[figure] ?? Number.NaN);
  return cases.map((each) => {
    const { name, ratios = [] } = each;
    const notRun = reasons.get(name);
    if (notRun !== undefined) return { case: each, figures: {}, notRun };
    const figures: Record<string, number> = {};
    for (const figure of Object.keys(found.get(name)?.[0] ?? {}))
      figures[figure] = rounded(median(column(name, figure)));
    for (const { heading, of, to } of ratios) {
      if (of === undefined || to === undefined) continue;
      figures[heading] = rounded(pairedRatio(column(name, of), column(to, of)));
    }
    return { case: each, figures };
  });
}

/** A turn may affect the next one: every other round goes backwards, and every other one begins with another case. */
function inOrderOf<T>(items: readonly T[], round: number): readonly T[] {
  const first = Math.floor(round / 2) % items.length;
  const order = [...items.slice(first), ...items.slice(0, first)];
  return round % 2 === 0 ? order : order.reverse();
}
