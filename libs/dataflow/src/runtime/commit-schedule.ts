import type { Store } from "../contracts/store.ts";
import type { TimeProvider } from "../contracts/time-provider.ts";
import type { TaskOptions } from "./options.ts";
import type { TaskGraph } from "./task-graph.ts";

/** Minimum time between commits that only advance the watermark, ms. */
const WATERMARK_EVERY_MS = 1_000;
/** How often a task without commits asks the store whether another owner has it, ms. */
const OWNER_EVERY_MS = 3_000;

/** Decides when a task commits, and when it checks for another owner in between. All times are monotonic, ms. */
export class CommitSchedule {
  readonly #time: TimeProvider;
  readonly #everyMs: number;
  readonly #everyEvents: number;
  /** Without a store a commit is never due. */
  readonly #commits: boolean;
  #uncommitted = 0;
  /** Since when a change waits for a commit. */
  #dirtySince: number | undefined;
  /** Results of windows that had been emitted at the last commit. */
  #committedResults = 0;
  /** When the last commit was made, and its watermark (ms of event time). */
  #committedAt = Number.NEGATIVE_INFINITY;
  #committedWatermark = Number.NEGATIVE_INFINITY;
  /** When a commit last had a higher watermark. */
  #raisedAt = Number.NEGATIVE_INFINITY;
  /** When time was last advanced so that the watermark can be committed. */
  #refreshedAt = Number.NEGATIVE_INFINITY;
  #ownerAskedAt = Number.NEGATIVE_INFINITY;

  constructor({ time, commitEveryMs, commitEveryEvents }: TaskOptions, store: Store | undefined) {
    this.#time = time;
    this.#everyMs = commitEveryMs;
    this.#everyEvents = commitEveryEvents;
    this.#commits = store !== undefined;
  }

  /** Events since the last commit. */
  get uncommitted(): number {
    return this.#uncommitted;
  }

  /** This many events were read: 0 if only the position has moved. */
  read(events: number): void {
    this.#uncommitted += events;
    this.changed();
  }

  /** There is a change to commit. */
  changed(): void {
    this.#dirtySince ??= this.#time.monotonic();
  }

  /** A commit of the steps' present state follows. */
  committing({ results, watermark }: TaskGraph): void {
    const carried = watermark ?? Number.NEGATIVE_INFINITY;
    if (carried > this.#committedWatermark) this.#raisedAt = this.#time.monotonic();
    this.#committedResults = results;
    this.#committedWatermark = carried;
  }

  committed(): void {
    this.#committedAt = this.#time.monotonic();
    this.#uncommitted = 0;
    this.#dirtySince = undefined;
  }

  refreshed(): void {
    this.#refreshedAt = this.#time.monotonic();
  }

  ownerAsked(): void {
    this.#ownerAskedAt = this.#time.monotonic();
  }

  /** When the next commit is due: at once after results of windows or enough events, else after the interval. */
  commitDue({ results, watermark }: TaskGraph): number | undefined {
    if (!this.#commits) return undefined;
    if (this.#dirtySince === undefined) {
      return watermark !== undefined && watermark > this.#committedWatermark
        ? this.#committedAt + this.#watermarkEveryMs
        : undefined;
    }
    if (results > this.#committedResults) return -Infinity;
    if (this.#uncommitted >= this.#everyEvents) return -Infinity;
    return this.#dirtySince + this.#everyMs;
  }

  /**
   * When time should advance although no window is due, so that readers of the store see the watermark of a partition
   * without events advance. A position that moves without events, as heartbeats move it, counts as no event.
   */
  refreshDue({ watermark }: TaskGraph): number | undefined {
    if (!this.#commits || this.#uncommitted > 0 || watermark === undefined) return undefined;
    return Math.max(this.#raisedAt, this.#refreshedAt) + this.#watermarkEveryMs;
  }

  /** When to ask the store whether another owner has the task. */
  ownerDue(): number | undefined {
    return this.#commits ? Math.max(this.#committedAt, this.#ownerAskedAt) + OWNER_EVERY_MS : undefined;
  }

  get #watermarkEveryMs(): number {
    return Math.max(this.#everyMs, WATERMARK_EVERY_MS);
  }
}
