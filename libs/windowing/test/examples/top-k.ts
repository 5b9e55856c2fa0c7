import { foldOf, mapCodec, type ClosingFold, type Opaque } from "../../src/index.ts";

/** How often each name occurred. */
type Counts = Map<string, number>;

/** The names with the most events, the most frequent first. */
export function topK<V>(
  k: number,
  nameOf: (value: V) => string,
): ClosingFold<V, Opaque<Counts>, readonly string[]> {
  const byCount = ([a, m]: [string, number], [b, n]: [string, number]): number => n - m || (a < b ? -1 : 1);
  return foldOf(
    {
      create: (): Counts => new Map(),
      add(counts, value: V) {
        const name = nameOf(value);
        return counts.set(name, (counts.get(name) ?? 0) + 1);
      },
      merge(earlier, later) {
        for (const [name, times] of later) earlier.set(name, (earlier.get(name) ?? 0) + times);
        return earlier;
      },
      result: (counts) =>
        [...counts]
          .sort(byCount)
          .slice(0, k)
          .map(([name]) => name),
    },
    { codec: mapCodec<number>() },
  );
}
