import { foldOf, type Fold } from "../../src/index.ts";

/** How often each name occurred. */
type Counts = Record<string, number>;

/** The names with the most events, the most frequent first. */
export function topK<V>(k: number, nameOf: (value: V) => string): Fold<V, Counts, readonly string[]> {
  const counts = foldOf({
    create: (): Counts => ({}),
    add(held, value: V) {
      held[nameOf(value)] = (held[nameOf(value)] ?? 0) + 1;
      return held;
    },
    merge(earlier, later) {
      for (const [name, times] of Object.entries(later)) earlier[name] = (earlier[name] ?? 0) + times;
      return earlier;
    },
  });
  const byCount = ([a, m]: [string, number], [b, n]: [string, number]): number => n - m || (a < b ? -1 : 1);
  return {
    ...counts,
    result: (held) =>
      Object.entries(held)
        .sort(byCount)
        .slice(0, k)
        .map(([name]) => name),
  };
}
