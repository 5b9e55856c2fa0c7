import type { WindowResult } from "@millrace/windowing";
import type { ClickEvent } from "@millrace/event-schema";
import { eventOf } from "./click.ts";

/** The sum of the events of one window and key. Two tallies are equal only if they have the same events. */
export interface Tally {
  readonly events: number;
  /** Sum of the events' numbers. */
  readonly numbers: number;
}

/** A tally of one click. */
export function tallyOf(click: ClickEvent): Tally {
  return { events: 1, numbers: eventOf(click).number };
}

export function addTallies(a: Tally, b: Tally): Tally {
  return { events: a.events + b.events, numbers: a.numbers + b.numbers };
}

/** One row of the aggregator's results. */
export interface ResultRow extends Tally {
  /** Index of the window. */
  readonly window: number;
  readonly key: string;
  readonly revision: number;
  /** `null`: not known. */
  readonly complete: true | null | { readonly atLeast: number; readonly atMost: number };
}

export function rowOf({ key, value, window, revision, complete }: WindowResult<Tally>): ResultRow {
  return {
    window: Number(window.id),
    key,
    revision,
    ...value,
    complete: complete === "unknown" ? null : complete,
  };
}
