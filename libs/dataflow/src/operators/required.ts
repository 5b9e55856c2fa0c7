/** A value that the construction of the graph guarantees; its absence is a bug in this library. */
export function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("a port that the graph declares was not wired");
  return value;
}
