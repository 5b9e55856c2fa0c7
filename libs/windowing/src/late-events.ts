/*
 * What happens to a late event.
 *
 * Time model `stream`: a window closes when the watermark reaches its end; a session
 * ends a gap after its last event. For `allowedLateness` after that it is kept:
 * an event still changes it, and its row leaves again with the cause `late`. Then it is over. An event whose windows are
 * all over is not counted: it leaves as late, with the windows that it missed.
 *
 * Time model `perKey`: an event before the watermark of its key leaves as late, even while its window is open.
 */
import { assignedWindows } from "./custom-windower.ts";
import { NO_IDS, NO_SESSION_ID, type Window } from "./window.ts";
import type { LateEvent } from "./window-output.ts";
import type { Windower } from "./windower.ts";

/** Whether no event can change a window any more, in the time model `stream`. */
export function isOver(close: number, allowedLatenessMs: number, watermark: number): boolean {
  return close + allowedLatenessMs <= watermark;
}

/** The same for a session: an event exactly one gap after its last one is still part of it. */
export function isSessionOver(
  last: number,
  gapMs: number,
  allowedLatenessMs: number,
  watermark: number,
): boolean {
  return last + gapMs + allowedLatenessMs < watermark;
}

/** An event that is not counted, with the windows that it missed. */
export function lateEvent<V>(windower: Windower, event: Omit<LateEvent<V>, "windows">): LateEvent<V> {
  return { ...event, windows: missedWindows(windower, event.timestamp) };
}

function missedWindows(windower: Windower, timestamp: number): readonly Window[] {
  switch (windower.kind) {
    case "session":
      return [{ id: NO_SESSION_ID, open: timestamp, close: timestamp, mergedIds: NO_IDS }];
    case "custom":
      return assignedWindows(windower, timestamp);
    default:
      return windower.windowsAt(timestamp);
  }
}
