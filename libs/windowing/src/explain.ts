import type { ResolvedOptions } from "./window-engine-options.ts";

/** One paragraph: when results are final, and what becomes of late events. */
export function explain<V, A, R>(options: ResolvedOptions<V, A, R>): string {
  const paragraph = [windows(options), closing(options), late(options), early(options), order(options)];
  return paragraph.filter((sentence) => sentence !== "").join(" ");
}

function windows<V, A, R>({ windower }: ResolvedOptions<V, A, R>): string {
  switch (windower.kind) {
    case "tumbling":
      return `Windows of ${ms(windower.lengthMs)} side by side.`;
    case "sliding":
      return `Windows of ${ms(windower.lengthMs)}, a new one every ${ms(windower.offsetMs)}.`;
    case "session":
      return `Sessions of a key's events with no pause longer than ${ms(windower.gapMs)}.`;
  }
}

function closing<V, A, R>(options: ResolvedOptions<V, A, R>): string {
  const { clock, windower, timeModel, idle } = options;
  const end = windower.kind === "session" ? "its last event plus the gap" : "its end";
  if (clock.kind === "system") {
    return (
      `Events count at the time they arrive, so none is ever late; a window is final once system time has passed ` +
      `${end}. Events read again after a crash count at the time of the second reading: exactly once in total, ` +
      `but not in the same windows.`
    );
  }
  if (clock.waitMs === Number.POSITIVE_INFINITY) return "Nothing is final before the input ends.";
  const whose = timeModel === "perKey" ? "of its own key" : "of any key";
  const lag = clock.waitMs === 0 ? "" : ` by ${ms(clock.waitMs)}`;
  const event = `A window is final once an event ${whose} lies past ${end}${lag}`;
  if (timeModel === "perKey") return `${event}, or once so much system time has gone by.`;
  return idle === "drained"
    ? `${event}, or once so much system time has gone by while nothing was left to read.`
    : `${event}; without further events it stays open.`;
}

function late<V, A, R>({ clock, timeModel, allowedLatenessMs }: ResolvedOptions<V, A, R>): string {
  if (clock.kind === "system" || clock.waitMs === Number.POSITIVE_INFINITY) return "";
  if (timeModel === "perKey") {
    return "An event behind its key's watermark is late, even while its window is open; it leaves as late.";
  }
  if (allowedLatenessMs === 0)
    return "An event whose windows have all closed is not counted; it leaves as late.";
  return (
    `For ${ms(allowedLatenessMs)} of event time after that, a late event still changes its window, which then ` +
    "leaves again as a revision; an event later than that is not counted and leaves as late."
  );
}

function early<V, A, R>({ earlyEveryMs }: ResolvedOptions<V, A, R>): string {
  if (earlyEveryMs === Number.POSITIVE_INFINITY) return "";
  return `Open windows that changed are shown every ${ms(earlyEveryMs)}; these early results may differ in a replay.`;
}

function order<V, A, R>({ ordered }: ResolvedOptions<V, A, R>): string {
  return ordered ? "Each key's events are folded in order of their timestamps." : "";
}

function ms(duration: number): string {
  if (duration > 0 && duration % 60_000 === 0) return `${String(duration / 60_000)} min`;
  if (duration > 0 && duration % 1000 === 0) return `${String(duration / 1000)} s`;
  return `${String(duration)} ms`;
}
