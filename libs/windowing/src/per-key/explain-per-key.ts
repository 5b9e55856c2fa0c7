import { lastEventOf, paragraphOf } from "../explain.ts";
import type { ResolvedOptions } from "../window-engine-options.ts";

/** One paragraph: when results are final, and what happens to late events (time model `perKey`). */
export function explainPerKey<V, A, R>(options: ResolvedOptions<V, A, R>): string {
  return paragraphOf(
    options,
    `A window is final once an event of its own key lies past ${lastEventOf(options)}, or once so much system time ` +
      "has gone by.",
    "An event before its key's watermark is late, even while its window is open; it leaves as late.",
  );
}
