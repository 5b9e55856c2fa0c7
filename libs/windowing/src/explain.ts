import { formatDuration } from "./duration.ts";
import type { ResolvedOptions } from "./window-engine-options.ts";
import type { Windower } from "./windower.ts";

/** One paragraph: when results are final, and what happens to late events (time model `stream`). */
export function explain<V, A, R>(options: ResolvedOptions<V, A, R>): string {
  return paragraphOf(options, closing(options), late(options));
}

/** A paragraph about windows, with what the time model says about their end and about late events. */
export function paragraphOf<V, A, R>(
  options: ResolvedOptions<V, A, R>,
  closes: string,
  lateness: string,
): string {
  const { clock } = options;
  const onEvents = clock.kind === "event" && clock.waitMs !== Number.POSITIVE_INFINITY;
  const paragraph = [
    windows(options),
    clock.kind === "system"
      ? systemTime(options)
      : onEvents
        ? closes
        : "Nothing is final before the input ends.",
    onEvents ? lateness : "",
    future(options),
    early(options),
    order(options),
  ];
  return paragraph.filter((sentence) => sentence !== "").join(" ");
}

/** The end of a window, up to which events count. */
export function lastEventOf<V, A, R>({ clock, windower }: ResolvedOptions<V, A, R>): string {
  const lag = clock.kind === "system" || clock.waitMs === 0 ? "" : ` plus ${formatDuration(clock.waitMs)}`;
  return `${endOf(windower)}${lag}`;
}

function endOf(windower: Windower): string {
  return windower.kind === "session" ? "its last event plus the gap" : "its end";
}

function systemTime<V, A, R>({ clock, windower }: ResolvedOptions<V, A, R>): string {
  const wait =
    clock.kind === "system" && clock.settleMs > 0
      ? ` and every producer has reported, or ${formatDuration(clock.settleMs)} later`
      : "";
  return (
    `Events count at the time they arrive, so none is ever late; a window is final once system time has passed ` +
    `${endOf(windower)}${wait}. Events read again after a crash count at the time of the second reading: exactly ` +
    `once in total, but not in the same windows.`
  );
}

function future<V, A, R>({ clock }: ResolvedOptions<V, A, R>): string {
  if (clock.kind === "system" || clock.maxFutureMs === Number.POSITIVE_INFINITY) return "";
  return `An event more than ${formatDuration(clock.maxFutureMs)} ahead of its arrival is refused.`;
}

function windows<V, A, R>({ windower }: ResolvedOptions<V, A, R>): string {
  switch (windower.kind) {
    case "tumbling":
      return `Windows of ${formatDuration(windower.lengthMs)} side by side.`;
    case "calendar":
      return `Windows of ${windower.lengthText} in ${windower.timeZone} side by side.`;
    case "sliding":
      return `Windows of ${formatDuration(windower.lengthMs)}, a new one every ${formatDuration(windower.offsetMs)}.`;
    case "session":
      return `Sessions of a key's events with no pause longer than ${formatDuration(windower.gapMs)}.`;
    case "custom":
      return `Windows: ${windower.description}.`;
  }
}

function closing<V, A, R>(options: ResolvedOptions<V, A, R>): string {
  if (options.upstream !== undefined) {
    return `A window is final once the windows before it have emitted all their results up to ${lastEventOf(options)}.`;
  }
  const event = `A window is final once an event of any key is later than ${lastEventOf(options)}`;
  return options.idle === "drained"
    ? `${event}, or after as much system time with nothing left to read.`
    : `${event}; without further events it stays open.`;
}

function late<V, A, R>({ allowedLatenessMs }: ResolvedOptions<V, A, R>): string {
  if (allowedLatenessMs === 0)
    return "An event whose windows have all closed is not counted; it leaves as late.";
  return (
    `For ${formatDuration(allowedLatenessMs)} of event time after that, a late event still changes its window, which then ` +
    "leaves again as a revision; an event later than that is not counted and leaves as late."
  );
}

function early<V, A, R>({ earlyEveryMs }: ResolvedOptions<V, A, R>): string {
  if (earlyEveryMs === Number.POSITIVE_INFINITY) return "";
  return `Open windows that changed are shown every ${formatDuration(earlyEveryMs)}; these early results may differ in a replay.`;
}

function order<V, A, R>({ ordered }: ResolvedOptions<V, A, R>): string {
  return ordered ? "Each key's events are folded in order of their timestamps." : "";
}

/** One paragraph: when results are final, and what happens to late events (time model `perKey`). */
export function explainPerKey<V, A, R>(options: ResolvedOptions<V, A, R>): string {
  return paragraphOf(
    options,
    `A window is final once an event of its own key is later than ${lastEventOf(options)}, or after as much system time.`,
    "An event before its key's watermark is late, even while its window is open; it leaves as late.",
  );
}
