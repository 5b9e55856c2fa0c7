import { clickCodec } from "@millrace/event-schema";

/** Counts lines by what they decode to. */
export function tally(lines: Iterable<string | Uint8Array>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const line of lines) {
    const result = clickCodec.decode(line);
    const outcome = result.kind === "malformed" ? result.reason.code : result.kind;
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  }
  return counts;
}
