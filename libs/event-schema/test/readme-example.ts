import { clickCodec, decodeFrame, encodeFrame } from "@millrace/event-schema";

/** Counts what a message holds, by outcome. */
export function tally(message: string | Uint8Array): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  const count = (outcome: string): void => {
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  };
  const frame = decodeFrame(message);
  if (frame.kind === "malformed") {
    count(frame.reason.code);
    return counts;
  }
  for (const line of frame.lines) {
    const result = clickCodec.decode(line);
    count(result.kind === "malformed" ? result.reason.code : result.kind);
  }
  return counts;
}

export const message: string = encodeFrame({
  producer: "shop-1",
  first: 0,
  publishedAtMs: 1_763_848_800_123,
  lines: ['{"click_id":"c-1"}', "{oops", ""],
});
// tally(message) has "wrong-shape", "invalid-json" and "blank", 1 each
