/** A value that the graph's construction guarantees; its absence is a defect of this library. */
export function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("a port that the graph declares was not wired");
  return value;
}
