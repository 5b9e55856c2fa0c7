import { SYSTEM_TIME } from "@millrace/dataflow";
import type {
  BatchDone,
  CommitDone,
  DeadLetter,
  ObservedRun,
  OpenWindow,
  ResultsEmitted,
  RowsWritten,
  RunObserver,
  TimeProvider,
} from "@millrace/dataflow";
import type { Observed } from "./worker-messages.ts";

/** Time between two messages, ms: as often as windows are sent to the page. */
const EVERY_MS = 250;
/** Windows of each step of each task in a message: as many as are shown. */
const MAX_WINDOWS = 200;
/** Rows of results that wait for a message: as many as are kept to be shown. The oldest are left out. */
const MAX_ROWS = 50_000;
/** Reports of each other kind that wait for a message, so that a parent that hangs takes no memory here. */
const MAX_REPORTS = 10_000;
/** A look at the open windows that takes less may be repeated with the next message, ms. */
const CHEAP_LOOK_MS = 2.5;
/** How many times as long as an expensive look the next one waits: looks take 1 % of the time. */
const LOOK_REST = 99;
/** As much of a payload is shown. */
const PAYLOAD_LENGTH = 1_000;

/** Observes a worker's run for its parent, which shows the runs of all its workers as one. */
export class ParentObserver implements RunObserver {
  readonly #send: (message: Observed) => Promise<void>;
  readonly #time: TimeProvider;
  #run: ObservedRun | undefined;
  #batches: BatchDone[] = [];
  #results: ResultsEmitted[] = [];
  #resultRows = 0;
  #rows: RowsWritten[] = [];
  #commits: CommitDone[] = [];
  #deadLetters: DeadLetter[] = [];
  /** The last look at the open windows, and the time of the next one, monotonic, ms. */
  #open: readonly OpenWindow[] = [];
  #nextLook = 0;
  #cancel: () => void = () => undefined;
  #closed = false;

  /** @param send resolves when the message has left, and throws if it has something that cannot be copied */
  constructor(send: (message: Observed) => Promise<void>, time: TimeProvider = SYSTEM_TIME) {
    this.#send = send;
    this.#time = time;
  }

  started(run: ObservedRun): void {
    this.#run = run;
    void this.#sendAgainAndAgain();
  }

  batchDone(batch: BatchDone): void {
    put(this.#batches, batch);
  }

  resultsEmitted(results: ResultsEmitted): void {
    this.#results.push(results);
    this.#resultRows += results.results.length;
    while (this.#resultRows > MAX_ROWS) this.#resultRows -= this.#results.shift()?.results.length ?? 0;
  }

  rowsWritten(rows: RowsWritten): void {
    put(this.#rows, rows);
  }

  commitDone(commit: CommitDone): void {
    put(this.#commits, commit);
  }

  deadLetter(letter: DeadLetter): void {
    const { payload } = letter;
    put(this.#deadLetters, { ...letter, payload: payload.slice(0, PAYLOAD_LENGTH) });
  }

  /** Sends what is left. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel();
    await this.#sendAll();
  }

  /** The next message is made when the last one has left, so that at most one waits for a slow parent. */
  async #sendAgainAndAgain(): Promise<void> {
    await this.#sendAll();
    if (this.#closed) return;
    this.#cancel = this.#time.wakeAfter(EVERY_MS, () => void this.#sendAgainAndAgain());
  }

  async #sendAll(): Promise<void> {
    if (this.#run === undefined) return;
    const message: Observed = {
      kind: "observed",
      description: this.#run.description,
      stats: this.#run.stats(),
      openWindows: this.#openWindows(this.#run),
      batches: this.#batches,
      results: this.#results,
      rows: this.#rows,
      commits: this.#commits,
      deadLetters: this.#deadLetters,
    };
    this.#batches = [];
    this.#results = [];
    this.#resultRows = 0;
    this.#rows = [];
    this.#commits = [];
    this.#deadLetters = [];
    try {
      await this.#send(message);
    } catch {
      // A result may have a function, which no message can have.
      const plain = { ...message, results: message.results.map(asJson) };
      // An observer cannot fail a run.
      await this.#send(plain).catch(() => undefined);
    }
  }

  #openWindows(run: ObservedRun): readonly OpenWindow[] {
    const began = this.#time.monotonic();
    if (began < this.#nextLook && !this.#closed) return this.#open;
    this.#open = run.openWindows(MAX_WINDOWS);
    const now = this.#time.monotonic();
    const tookMs = now - began;
    this.#nextLook = tookMs < CHEAP_LOOK_MS ? now : now + LOOK_REST * tookMs;
    return this.#open;
  }
}

function put<T>(reports: T[], report: T): void {
  if (reports.length < MAX_REPORTS) reports.push(report);
}

/** The same results, with what JSON leaves of their values. */
function asJson(emitted: ResultsEmitted): ResultsEmitted {
  const results = emitted.results.map(({ previous, ...result }) => ({
    ...result,
    value: jsonOf(result.value),
    ...(previous === undefined ? {} : { previous: jsonOf(previous) }),
  }));
  return { ...emitted, results };
}

function jsonOf(value: unknown): unknown {
  try {
    const json: unknown = JSON.parse(JSON.stringify(value));
    return json;
  } catch {
    return null;
  }
}
