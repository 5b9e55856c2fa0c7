import { SYSTEM_TIME } from "@millrace/dataflow";
import type {
  BatchDone,
  CommitDone,
  DeadLetter,
  FlowStats,
  ObservedRun,
  OpenWindow,
  ResultsEmitted,
  RowsWritten,
  RunObserver,
  TimeProvider,
} from "@millrace/dataflow";
import type {
  DeadLetters,
  Flow,
  History,
  OtherWorker,
  Readiness,
  Sample,
  Tasks,
  Window,
  Windows,
} from "../api/schemas.ts";
import { VERSION } from "../own-version.ts";
import { DeadLetterBook } from "./dead-letter-book.ts";
import { HistoryBook } from "./history-book.ts";
import { OthersWatch } from "./others-watch.ts";
import { ReadinessWatch } from "./readiness.ts";
import { accountOf, isOver, tasksOf } from "./task-view.ts";
import { MAX_WINDOWS, WindowBook, windowOf } from "./window-book.ts";

/** Options of a monitor. */
export interface FlowMonitorOptions {
  /** That of the run. @default the system's clock and timers */
  readonly time?: TimeProvider;
  /**
   * Asks which other workers share the flow's tasks, given the flow's id. It is called for requests and open pages, at most once a
   * second, and may fail. @default this worker shares with none
   */
  readonly others?: (flow: string) => Promise<readonly OtherWorker[]>;
}

/** Which windows to show, and how many rows of each. */
export interface WindowQuery {
  /** Id of a window step. @default all steps */
  readonly step?: string | undefined;
  /** Windows, the newest first. @default 50 */
  readonly limit?: number | undefined;
  /** Rows of each window. @default 20 */
  readonly rows?: number | undefined;
  /** One window, by its id. @default all */
  readonly window?: string | undefined;
  /** In place of the highest rows those of this key. */
  readonly key?: string | undefined;
}

/** Windows that have changed since they were last shown. */
export type WindowChanges = Windows & { readonly removed: readonly string[] };

/** What of a monitor's run has been shown: for each window the version. */
export type ShownWindows = Map<string, string>;

const ROWS_SHOWN = 20;
const WINDOWS_SHOWN = 50;
/** A look at the open windows that takes less may be repeated at once, ms. */
const CHEAP_LOOK_MS = 2.5;
/** How many times as long as an expensive look the next one waits: looks take 1 % of the time. */
const LOOK_REST = 99;
/** The longest wait for the next look, ms: a look that only had to wait for the processor must not stop the others. */
const LONGEST_LOOK_REST_MS = 5_000;

/**
 * Observes a run and keeps what can be shown of it: its newest windows with their rows, dead letters, a history of ten
 * minutes, and the figures of its tasks. Everything is bounded: 200 windows, 50,000 rows of 32 MiB, 100 dead letters.
 *
 * @example
 * const monitor = new FlowMonitor();
 * const server = await serveHttp(monitor, { port: 9464, logger });
 * try {
 *   await run(flow, { observers: [monitor] });
 * } finally {
 *   await server.close();
 * }
 */
export class FlowMonitor implements RunObserver {
  readonly #time: TimeProvider;
  /** What to call if an observer throws. */
  readonly #followers = new Map<RunObserver, (error: unknown) => void>();
  readonly #others: OthersWatch | undefined;
  #run: ObservedRun | undefined;
  /** The last look at the open windows, and the time of the next one, monotonic, ms. */
  #open: readonly OpenWindow[] = [];
  #nextLook = 0;
  #startedAt: number;
  #windows = new WindowBook();
  #deadLetters = new DeadLetterBook();
  #history = new HistoryBook();
  #readiness: ReadinessWatch;
  #rowsWritten = 0;

  constructor({ time = SYSTEM_TIME, others }: FlowMonitorOptions = {}) {
    this.#time = time;
    this.#others = others && new OthersWatch(others, time);
    this.#startedAt = time.now();
    this.#readiness = new ReadinessWatch(time);
  }

  /**
   * Observes the same run from now on.
   *
   * @param failed gets the error if the observer throws or rejects; it is not called again then
   * @returns a function that ends that
   */
  follow(observer: RunObserver, failed: (error: unknown) => void): () => void {
    this.#followers.set(observer, failed);
    return () => {
      this.#followers.delete(observer);
    };
  }

  started(run: ObservedRun): void {
    this.#run = run;
    this.#open = [];
    this.#nextLook = 0;
    this.#startedAt = this.#time.now();
    this.#windows = new WindowBook();
    this.#deadLetters = new DeadLetterBook();
    this.#history = new HistoryBook();
    this.#readiness = new ReadinessWatch(this.#time);
    this.#rowsWritten = 0;
    this.#pass((each) => each.started?.(run));
  }

  batchDone(batch: BatchDone): void {
    this.#readiness.progressed(batch.part);
    this.#pass((each) => each.batchDone?.(batch));
  }

  resultsEmitted(results: ResultsEmitted): void {
    this.#readiness.progressed(results.part);
    this.#windows.put(results);
    this.#pass((each) => each.resultsEmitted?.(results));
  }

  rowsWritten(rows: RowsWritten): void {
    this.#readiness.progressed(rows.part);
    this.#rowsWritten += rows.rows;
    this.#pass((each) => each.rowsWritten?.(rows));
  }

  commitDone(commit: CommitDone): void {
    this.#readiness.progressed(commit.part);
    this.#rowsWritten += commit.rows;
    this.#pass((each) => each.commitDone?.(commit));
  }

  deadLetter(letter: DeadLetter): void {
    this.#deadLetters.put(letter, this.#time.now());
    this.#pass((each) => each.deadLetter?.(letter));
  }

  /** The figures that the runtime keeps; `undefined`: no run has begun. */
  stats(): FlowStats | undefined {
    return this.#run?.stats();
  }

  /** Id of the flow; before a run begins it is empty. */
  get flowName(): string {
    return this.#run?.description.flow ?? "";
  }

  /** What runs. Before a run begins it has no name and no steps. */
  flow(): Flow {
    const { flow = "", steps = [] } = this.#run?.description ?? {};
    return {
      flow,
      startedAt: this.#startedAt,
      version: VERSION,
      steps: steps.map(({ id, operator, kind, inputs, ports, detail = null }) => ({
        id,
        operator,
        kind,
        inputs: inputs.map((input) => ({ ...input })),
        ports: [...ports],
        detail,
      })),
    };
  }

  tasks(): Tasks {
    const at = this.#time.now();
    const stats = this.stats() ?? { flow: "", tasks: [] };
    const others = this.#others?.known ?? null;
    return { at, account: accountOf(stats), tasks: tasksOf(stats, at), others: others && [...others] };
  }

  /** Asks for the other workers, unless that was done within a second. Never rejects. */
  async lookAtOthers(): Promise<void> {
    if (this.#run !== undefined) await this.#others?.look(this.flowName);
  }

  windows(query: WindowQuery = {}): Windows {
    const { step, window, limit = WINDOWS_SHOWN, rows = ROWS_SHOWN, key } = query;
    const windows: Window[] = [];
    const replayed = this.#isReplayed();
    for (const listed of this.#listed()) {
      if (windows.length === limit) break;
      if ((step !== undefined && step !== listed.step) || (window !== undefined && window !== listed.id))
        continue;
      const shown = windowOf(listed, { limit: rows, key }, replayed);
      if (key === undefined || shown.top.length > 0) windows.push(shown);
    }
    return { at: this.#time.now(), windows };
  }

  /** The windows that differ from those that were shown. @param shown is brought up to date */
  windowChanges(shown: ShownWindows): WindowChanges {
    const listed = this.#listed();
    const windows = listed.filter(({ id, version }) => shown.get(id) !== version);
    const present = new Set(listed.map(({ id }) => id));
    const removed = [...shown.keys()].filter((id) => !present.has(id));
    for (const id of removed) shown.delete(id);
    for (const { id, version } of windows) shown.set(id, version);
    const replayed = this.#isReplayed();
    return {
      at: this.#time.now(),
      windows: windows.map((each) => windowOf(each, { limit: ROWS_SHOWN }, replayed)),
      removed,
    };
  }

  deadLetters(): DeadLetters {
    return this.#deadLetters.view();
  }

  /** Dead letters so far. */
  get deadLetterCount(): number {
    return this.#deadLetters.total;
  }

  history(): History {
    return this.#history.view();
  }

  /** Adds a sample to the history, and looks for stalled tasks. To be called each second. */
  sample(): { readonly tasks: Tasks; readonly sample: Sample } {
    const stats = this.stats();
    if (stats !== undefined) this.#readiness.look(stats);
    const tasks = this.tasks();
    return { tasks, sample: this.#history.add(tasks, this.#rowsWritten) };
  }

  readiness(): Readiness {
    return this.#readiness.view(this.stats());
  }

  #listed(): ReturnType<WindowBook["list"]> {
    if (this.#time.monotonic() >= this.#nextLook || this.#isOver()) this.#look();
    return this.#windows.list(this.#open);
  }

  /** A look may pass over all sessions or keys that are held: an expensive one is not repeated at once. */
  #look(): void {
    const began = this.#time.monotonic();
    this.#open = this.#run?.openWindows(MAX_WINDOWS) ?? [];
    const ended = this.#time.monotonic();
    const tookMs = ended - began;
    this.#nextLook = tookMs > CHEAP_LOOK_MS ? ended + Math.min(LOOK_REST * tookMs, LONGEST_LOOK_REST_MS) : 0;
  }

  /** Whether a task was reopened after its store had been rolled back: rows of before may come again. */
  #isReplayed(): boolean {
    return this.stats()?.tasks.some(({ reloads }) => reloads > 0) ?? false;
  }

  #isOver(): boolean {
    return this.stats()?.tasks.every(isOver) ?? true;
  }

  /** An observer that fails must not fail this one. */
  #pass(report: (follower: RunObserver) => unknown): void {
    for (const [follower, failed] of this.#followers) {
      const fail = (error: unknown): void => {
        if (this.#followers.delete(follower)) failed(error);
      };
      try {
        const done = report(follower);
        // The type allows an async function, whose rejection would end the process.
        if (done instanceof Promise) done.catch(fail);
      } catch (error) {
        fail(error);
      }
    }
  }
}
