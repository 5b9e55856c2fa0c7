import { unfinishedSessions } from "@millrace/windowing";
import type { StateGroup, Windower } from "@millrace/windowing";
import { lastCloseBefore } from "./whole-windows.ts";

/**
 * Whether a window may have begun before a time (ms) and have no final row by the watermark of stored state. Of windows with a
 * length, the last one that begins before decides; how far a session goes shows only in its state. Of custom windows it is not
 * known: `false` if the watermark has come so far.
 */
export function hasUnfinished(
  windower: Windower,
  before: number,
  watermark: number,
  groups: readonly StateGroup[],
): boolean {
  if (watermark < before) return true;
  if (windower.kind === "custom") return false;
  if (windower.kind === "session") return unfinishedSessions(groups).some((open) => open < before);
  return lastCloseBefore(windower, before) > watermark;
}
