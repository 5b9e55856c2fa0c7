import type { Window } from "./window.ts";

/** A window that an engine holds and that has not emitted its last page of first results. */
export interface HeldWindow {
  readonly window: Window;
  /** Of a session its own; `undefined`: the window is of all keys. */
  readonly key: string | undefined;
  /** Keys with events in it, without those whose events still wait in order. */
  readonly keys: number;
}

/** The items that close last, at most `limit`, newest first: in one pass, without sorting all of them. */
export function latest<T>(items: Iterable<T>, limit: number, closeOf: (item: T) => number): readonly T[] {
  if (!(limit > 0)) return [];
  const newestFirst = (a: T, b: T): number => closeOf(b) - closeOf(a);
  let kept: T[] = [];
  let floor = Number.NEGATIVE_INFINITY;
  for (const item of items) {
    if (closeOf(item) <= floor) continue;
    kept.push(item);
    if (kept.length < 2 * limit) continue;
    kept = kept.sort(newestFirst).slice(0, limit);
    const last = kept.at(-1);
    if (last !== undefined && kept.length >= limit) floor = closeOf(last);
  }
  return kept.sort(newestFirst).slice(0, limit);
}
