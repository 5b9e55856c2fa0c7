import type { DeadLetters, Flow, Row, Sample, StreamEvents, Tasks, Window } from "@millrace/observe/api";

// Times are ms since the epoch. `at` of an action is the time of this browser; times in the data are of the server.

/** What the page knows of its connection to the flow. */
export type Connection =
  | { readonly phase: "connecting" }
  | { readonly phase: "live" }
  /** The connection is open, and nothing has come for a while. */
  | { readonly phase: "stale"; readonly since: number }
  /** The connection broke, and the page tries again. */
  | { readonly phase: "reconnecting"; readonly since: number }
  /** The server answered, and refused; the page tries again. */
  | { readonly phase: "refused"; readonly since: number; readonly detail: string }
  | { readonly phase: "locked"; readonly notice: string | null }
  | { readonly phase: "ended"; readonly failed: boolean; readonly reason: string | null };

/** Of one step, over all tasks: events so far, or events per second. */
export interface StepEvents {
  readonly in: number;
  readonly out: Readonly<Record<string, number>>;
}

/** What all steps had counted at a time of the server. */
export interface StepCounts {
  readonly at: number;
  readonly steps: ReadonlyMap<string, StepEvents>;
}

/** What was received of the flow. It is replaced, never changed. */
export interface Run {
  readonly flow: Flow;
  readonly tasks: Tasks;
  /** Newest first, at most {@link MAX_WINDOWS}. */
  readonly windows: readonly Window[];
  /** The oldest first, one a second. */
  readonly samples: readonly Sample[];
  readonly deadLetters: DeadLetters;
  /** The last ones, the oldest first: rates are means over some seconds, since rows leave in bursts. */
  readonly counts: readonly StepCounts[];
}

/** The rows of one window that the stream left out. */
export interface WindowRows {
  readonly id: string;
  readonly updatedAt: number | null;
  readonly rows: readonly Row[];
}

export interface KeySearch {
  readonly key: string;
  readonly result:
    | { readonly phase: "loading" }
    | { readonly phase: "found"; readonly windows: readonly Window[] }
    | { readonly phase: "failed"; readonly reason: string };
}

export type Theme = "light" | "dark";

export interface State {
  readonly connection: Connection;
  /** When the last event of the stream came; null: none has. */
  readonly heardAt: number | null;
  readonly now: number;
  readonly run: Run | null;
  /** What is shown while the page is paused; null: it is not. */
  readonly frozen: Run | null;
  /** Id of the window that the reader picked; null: the newest one with rows. */
  readonly picked: string | null;
  /** The window step that is shown; null: the first one. */
  readonly step: string | null;
  /** The number that bars show; null: the first one of the rows. */
  readonly measure: string | null;
  readonly rows: WindowRows | null;
  readonly search: KeySearch | null;
  readonly theme: Theme;
  readonly narrow: boolean;
}

/** Names of the stream's events. */
export type EventName = keyof StreamEvents;

/** An event of the stream. */
export type StreamAction<Names extends EventName = EventName> = {
  [Name in Names]: {
    readonly type: "stream";
    readonly name: Name;
    readonly data: StreamEvents[Name];
    readonly at: number;
  };
}[Names];

export type Action =
  | StreamAction
  | { readonly type: "broke"; readonly at: number }
  | { readonly type: "refused"; readonly at: number; readonly detail: string }
  | { readonly type: "locked"; readonly notice: string | null }
  /** A token was accepted, or the page is shown again. */
  | { readonly type: "connecting" }
  | { readonly type: "tick"; readonly at: number }
  | { readonly type: "pause"; readonly paused: boolean }
  | { readonly type: "pick"; readonly window: string | null }
  | { readonly type: "show-step"; readonly step: string }
  | { readonly type: "show-measure"; readonly measure: string }
  | { readonly type: "rows"; readonly rows: WindowRows }
  | { readonly type: "search"; readonly search: KeySearch | null }
  | { readonly type: "look"; readonly theme?: Theme; readonly narrow?: boolean };

/** Windows that are kept. The server keeps its own bound; this one keeps the page small whatever it sends. */
export const MAX_WINDOWS = 200;
export const MAX_SAMPLES = 600;
/** Figures over which rates are taken: those of six seconds have five seconds between them. */
export const RATE_SAMPLES = 6;
/** Figures come each second, so that silence for longer than this is shown. */
export const STALE_AFTER_MS = 5_000;

export function initialState(now: number, theme: Theme, narrow: boolean): State {
  return {
    connection: { phase: "connecting" },
    heardAt: null,
    now,
    run: null,
    frozen: null,
    picked: null,
    step: null,
    measure: null,
    rows: null,
    search: null,
    theme,
    narrow,
  };
}

/** What is still to be read: entries that the source still has to deliver, and events that have come and wait. */
export interface Unread {
  /** Null: some source does not say. */
  readonly entries: number | null;
  readonly events: number;
}
