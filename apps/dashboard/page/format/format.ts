import type { Completeness, Row } from "@millrace/observe/api";
import type { Unread } from "../state/model.ts";

// How numbers, times and states read. Times are shown in the time zone of the browser.

const COUNT = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });
const COMPACT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 2 });

/** 12,345; short forms from ten million on. */
export function formatNumber(value: number): string {
  return Math.abs(value) >= 1e7 ? COMPACT.format(value) : COUNT.format(value);
}

/** Per second: one decimal below ten. */
export function formatRate(rate: number | null): string {
  if (rate === null) return "–";
  return rate < 10 ? String(Number(rate.toFixed(1))) : formatNumber(Math.round(rate));
}

export function formatDuration(ms: number | null): string {
  if (ms === null) return "–";
  if (ms < 0) return `−${formatDuration(-ms)}`;
  if (ms < 999.5) return `${ms < 10 ? Number(ms.toFixed(1)) : Math.round(ms)} ms`;
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return pair(seconds, 60, "min", "s");
  if (seconds < 86_400) return pair(Math.round(seconds / 60), 60, "h", "min");
  return pair(Math.round(seconds / 3600), 24, "d", "h");
}

function pair(value: number, per: number, large: string, small: string): string {
  const rest = value % per;
  return `${Math.floor(value / per)} ${large}${rest === 0 ? "" : ` ${rest} ${small}`}`;
}

export function formatBytes(bytes: number | null): string {
  if (bytes === null) return "–";
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 999_500) return `${Number((bytes / 1000).toFixed(1))} kB`;
  return `${Number((bytes / 1_000_000).toFixed(1))} MB`;
}

const TIME = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const SHORT_DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

/** 13:25:05 */
export function formatTime(at: number | null): string {
  return at === null ? "–" : TIME.format(at);
}

/** With the day, unless that is the day of `now`. */
export function formatMoment(at: number, now: number): string {
  return DAY.format(at) === DAY.format(now) ? TIME.format(at) : `${SHORT_DAY.format(at)}, ${TIME.format(at)}`;
}

const DAY_MS = 86_400_000;

/** The range of a window: times, or days if it is a day or longer and begins and ends at midnight. */
export function formatRange(open: number, close: number, now: number): string {
  if (close - open >= DAY_MS - 3_600_000 && isMidnight(open) && isMidnight(close)) {
    return close - open < 2 * DAY_MS ? DAY.format(open) : `${DAY.format(open)} – ${DAY.format(close - 1)}`;
  }
  const end = DAY.format(open) === DAY.format(close) ? TIME.format(close) : formatMoment(close, open);
  return `${formatMoment(open, now)} – ${end}`;
}

/** When a window begins, as short as a column of the timeline needs it. */
export function formatOpen(open: number, close: number): string {
  return close - open >= DAY_MS - 3_600_000 && isMidnight(open) ? SHORT_DAY.format(open) : TIME.format(open);
}

function isMidnight(at: number): boolean {
  return TIME.format(at) === "00:00:00";
}

/** What of a window is missing; undefined: nothing, or nothing is known. */
export function formatLoss(complete: Completeness): string | undefined {
  if (complete === true || complete === "unknown") return undefined;
  const { atLeast, atMost } = complete;
  if (atMost === 0) return undefined;
  const events = atMost === 1 ? "event" : "events";
  if (atLeast === atMost) return `${formatNumber(atMost)} ${events} missing`;
  if (atMost >= Number.MAX_SAFE_INTEGER) return `at least ${formatNumber(atLeast)} events missing`;
  if (atLeast === 0) return `up to ${formatNumber(atMost)} ${events} missing`;
  return `${formatNumber(atLeast)} to ${formatNumber(atMost)} ${events} missing`;
}

export function formatCompleteness(complete: Completeness): string {
  if (complete === true) return "complete";
  if (complete === "unknown") return "completeness not known";
  return formatLoss(complete) ?? "complete";
}

const CAUSES: Readonly<Record<Row["cause"], string>> = {
  watermark: "closed by the watermark",
  early: "early result",
  late: "changed by a late event",
  end: "closed at the end of the input",
  drain: "closed when the run stopped",
  match: "a pattern matched",
};

export function formatCause(cause: Row["cause"]): string {
  return CAUSES[cause];
}

/** A result without numbers, as JSON, cut to 120 characters. The server sends null in place of one that is too large. */
export function formatValue(value: unknown): string {
  if (value === undefined) return "–";
  if (value === null) return "(null or too large)";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
}

/** What is still to be read, each number with its unit: an entry of a stream has many events where they come in frames. */
export function formatUnread({ entries, events }: Unread): string {
  const queued = `${plural(events, "event")} queued`;
  if (entries === null) return queued;
  const left = `${plural(entries, "entry", "entries")} left`;
  return events === 0 ? left : `${left}, ${queued}`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatNumber(count)} ${count === 1 ? one : many}`;
}
