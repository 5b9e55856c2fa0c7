import Type from "typebox";
import type { Static } from "typebox";

// Times are system or event time in ms since the epoch, durations are ms, sizes are bytes, unless a name says otherwise.

const Text = Type.String();
const Count = Type.Integer({ minimum: 0 });
const Time = Type.Number({ description: "ms since the epoch" });
const Ms = Type.Number({ description: "ms" });
const Nullable = <T extends Type.TSchema>(schema: T): Type.TUnion<[T, Type.TNull]> =>
  Type.Union([schema, Type.Null()]);

/** Where every event went, over all tasks: published = counted + late + malformed + duplicate + lost … */
export const Account = Type.Object({
  received: Count,
  decoded: Count,
  malformed: Count,
  blank: Count,
  skipped: Count,
  duplicates: Count,
  windowed: Count,
  counted: Count,
  late: Count,
  refused: Count,
  possibleDuplicates: Count,
  suspicious: Count,
  lost: Count,
  discarded: Count,
  uncommitted: Count,
  uncertainSince: Nullable(Time),
  unaccounted: Count,
  rowsOut: Type.Record(Text, Count),
});
export type Account = Static<typeof Account>;

export const Step = Type.Object({
  id: Text,
  operator: Text,
  kind: Type.Enum(["input", "decode", "windows", "output", "other"]),
  inputs: Type.Array(Type.Object({ step: Text, port: Text })),
  ports: Type.Array(Text),
  detail: Nullable(Text),
});
export type Step = Static<typeof Step>;

/** `GET /api/flow`: what runs. */
export const Flow = Type.Object({
  flow: Text,
  /** When this process started the run. */
  startedAt: Time,
  /** Of Millrace. */
  version: Text,
  steps: Type.Array(Step),
});
export type Flow = Static<typeof Flow>;

export const StepFigures = Type.Object({
  id: Text,
  eventsIn: Count,
  eventsOut: Type.Record(Text, Count),
  figures: Type.Record(Text, Type.Number()),
});
export type StepFigures = Static<typeof StepFigures>;

export const TaskPhase = Type.Enum([
  "starting",
  "running",
  "waiting",
  "reloading",
  "stopping",
  "ended",
  "failed",
  "released",
]);

/**
 * Of one task, what keeps due windows from closing. `probe`: the proof that nothing is left to read is outstanding.
 * `unread-events`: events have arrived and wait to be read. `disconnected`: the source has no connection. `no-events`: no
 * event has come yet, so that there is no watermark.
 */
export const Hold = Type.Enum(["nothing", "probe", "unread-events", "disconnected", "no-events"]);

export const Task = Type.Object({
  part: Text,
  phase: TaskPhase,
  hold: Hold,
  /** The hold as a sentence for people; null: nothing holds the task back. */
  holdReason: Nullable(Text),
  /** Whether this task has the lowest watermark of the flow. */
  holdsFlowBack: Type.Boolean(),
  /** Null: the source needs no connection. */
  connected: Nullable(Type.Boolean()),
  reconnects: Nullable(Count),
  watermark: Nullable(Time),
  /** System time minus watermark. */
  watermarkAgeMs: Nullable(Ms),
  lastEventAt: Nullable(Time),
  /** Age of the last message when it was read; 0 once nothing is left to read. */
  lagMs: Nullable(Ms),
  /** Entries that Redis still has to deliver. */
  lagEntries: Nullable(Count),
  queued: Count,
  drainedAt: Nullable(Time),
  received: Count,
  duplicates: Count,
  lost: Count,
  malformed: Count,
  batches: Count,
  lastBatchMs: Ms,
  longestBatchMs: Ms,
  commits: Count,
  lastCommit: Nullable(Type.Object({ at: Time, durationMs: Ms, bytes: Nullable(Count) })),
  reloads: Count,
  steps: Type.Array(StepFigures),
});
export type Task = Static<typeof Task>;

/** A worker somewhere else that shares the flow's tasks. */
export const OtherWorker = Type.Object({
  worker: Text,
  /** Where it runs; null: not known. */
  host: Nullable(Text),
  /** Time since its last heartbeat; null: not known. */
  leaseAgeMs: Nullable(Ms),
  /** It is giving up its tasks. */
  leaving: Type.Boolean(),
  parts: Type.Array(Text),
});
export type OtherWorker = Static<typeof OtherWorker>;

/** `GET /api/tasks`. */
export const Tasks = Type.Object({
  at: Time,
  account: Account,
  tasks: Type.Array(Task),
  /** The workers that have the other tasks; null: this one shares with none, or does not know. */
  others: Nullable(Type.Array(OtherWorker)),
});
export type Tasks = Static<typeof Tasks>;

/** Whether all events of a window were seen: yes, not known, or how many are missing. */
export const Completeness = Type.Union([
  Type.Literal(true),
  Type.Literal("unknown"),
  Type.Object({ atLeast: Count, atMost: Count }),
]);
export type Completeness = Static<typeof Completeness>;

export const Cause = Type.Enum(["watermark", "early", "late", "end", "drain", "match"]);

/** One key's newest result in a window. */
export const Row = Type.Object({
  key: Text,
  /** Where keys are kept apart by partition, and for every row. */
  part: Text,
  /** The result as it left the window step; a large one is cut to null. */
  value: Type.Unknown(),
  /** Its numbers, by the name of the field; a result that is a number is `value`. */
  numbers: Type.Record(Text, Type.Number()),
  revision: Count,
  cause: Cause,
  complete: Completeness,
  overflow: Nullable(Count),
});
export type Row = Static<typeof Row>;

/**
 * `filling`: some partition still holds it open. `incomplete`: events of it are known to be missing. `revised`: a late
 * event has changed a row of it. `final`: none of these.
 */
export const WindowStatus = Type.Enum(["filling", "final", "revised", "incomplete"]);

/** A window of one step, over all partitions. */
export const Window = Type.Object({
  /** Identifies it for `?window=`: step, open and close, as text. */
  id: Text,
  step: Text,
  open: Time,
  close: Time,
  status: WindowStatus,
  /** Of the newest row; null: it has none yet. */
  cause: Nullable(Cause),
  revision: Count,
  complete: Completeness,
  /** Partitions that still hold it open. */
  openIn: Type.Array(Text),
  /** Keys with events in it so far. */
  keys: Count,
  /** Names of the numbers that its rows have, in the order of the rows' fields. */
  measures: Type.Array(Text),
  /** Sum of each measure over all rows. */
  totals: Type.Record(Text, Type.Number()),
  /** The rows with the highest first measure, the highest first. */
  top: Type.Array(Row),
  /** The rows that are not in `top`; their sums. */
  rest: Type.Object({ rows: Count, totals: Type.Record(Text, Type.Number()) }),
  /** False: rows were dropped to stay within the bound on memory, and `top` has at most what is left. */
  rowsKept: Type.Boolean(),
  /** False: after rows were dropped, others came that may replace them, so that `keys`, `totals` and `rest` are estimates. */
  exact: Type.Boolean(),
  /** System time of the newest row; null: it has none yet. */
  updatedAt: Nullable(Time),
});
export type Window = Static<typeof Window>;

/**
 * `GET /api/windows`: newest first. `?step=`, `?limit=` (1–200, default 50), `?rows=` (rows in `top`, default 20; times `limit`
 * at most 4000), `?window=<id>` for one, `?key=` for the rows of one key in every window that still has them.
 */
export const Windows = Type.Object({ at: Time, windows: Type.Array(Window) });
export type Windows = Static<typeof Windows>;

export const DeadLetter = Type.Object({
  /** Grows by one with each dead letter of the run. */
  number: Count,
  at: Time,
  step: Text,
  part: Text,
  code: Text,
  message: Text,
  /** The payload, cut to 1,000 characters. */
  payload: Text,
});
export type DeadLetter = Static<typeof DeadLetter>;

/** `GET /api/dead-letters`: the newest ones, newest first. */
export const DeadLetters = Type.Object({
  total: Count,
  /** How many there were of each reason, by its code. */
  reasons: Type.Record(Text, Count),
  letters: Type.Array(DeadLetter),
});
export type DeadLetters = Static<typeof DeadLetters>;

/** Totals of the flow at one second. */
export const Sample = Type.Object({
  at: Time,
  received: Count,
  counted: Count,
  late: Count,
  lost: Count,
  /**
   * Rows that the sinks have accepted or that have left with commits, over all outputs; the account has those that were
   * flushed or committed since.
   */
  rowsOut: Count,
  commits: Count,
  /** The largest of all tasks that go on. */
  lagMs: Nullable(Ms),
  watermarkAgeMs: Nullable(Ms),
});
export type Sample = Static<typeof Sample>;

/** `GET /api/history`: one sample a second, the oldest first, at most 600. */
export const History = Type.Object({ everyMs: Ms, samples: Type.Array(Sample) });
export type History = Static<typeof History>;

/** `GET /healthz`. */
export const Health = Type.Object({ status: Type.Literal("ok") });
export type Health = Static<typeof Health>;

/** `GET /session`: whether the server asks for a token, and whether this client may read; otherwise the page asks for it. */
export const Session = Type.Object({ needed: Type.Boolean(), given: Type.Boolean() });
export type Session = Static<typeof Session>;

/** `GET /readyz`, with 200 or 503. */
export const Readiness = Type.Object({
  status: Type.Enum(["ready", "not-ready"]),
  /** The first thing that is missing; null: nothing is. */
  reason: Nullable(Text),
  /** One for each task. Of one that is ready, the reason is a note such as "no data for 40 s", or null. */
  tasks: Type.Array(Type.Object({ part: Text, ready: Type.Boolean(), reason: Nullable(Text) })),
});
export type Readiness = Static<typeof Readiness>;

/** RFC 9457, `application/problem+json`. */
export const Problem = Type.Object({
  type: Text,
  title: Text,
  status: Count,
  detail: Type.Optional(Text),
});
export type Problem = Static<typeof Problem>;

/**
 * The events of `GET /api/stream` (Server-Sent Events): the event's name and its data. `snapshot` comes first, unless
 * `Last-Event-ID` names an event that is still kept. `tasks` comes each second; `windows` has the windows that changed, at
 * most four times a second, each with its 20 top rows; `dead-letters` has the newest 20; `end` says that the run has ended.
 */
export interface StreamEvents {
  readonly snapshot: {
    readonly flow: Flow;
    readonly tasks: Tasks;
    readonly windows: Windows;
    readonly history: History;
    readonly deadLetters: DeadLetters;
  };
  readonly tasks: Tasks & { readonly sample: Sample };
  readonly windows: Windows & { readonly removed: readonly string[] };
  readonly "dead-letters": DeadLetters;
  readonly end: { readonly failed: boolean; readonly reason: string | null };
}
