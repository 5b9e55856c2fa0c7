import type { Store } from "../contracts/store.ts";
import type { TimeProvider } from "../contracts/time-provider.ts";
import type { TaskOptions } from "./options.ts";
import type { TaskGraph } from "./task-graph.ts";

/** While nothing but the watermark moves it is committed no more often than this, ms. */
const WATERMARK_EVERY_MS = 1_000;
/** A task that commits nothing asks after so long whether another owner has it. */
const OWNER_EVERY_MS = 3_000;

/** When a task has to commit, and to look after what readers and other owners see in between. All times are monotonic, ms. */
export class CommitSchedule {
  readonly #time: TimeProvider;
  readonly #everyMs: number;
  readonly #everyEvents: number;
  /** Without a store nothing is ever due. */
  readonly #commits: boolean;
  #uncommitted = 0;
  /** Since when something waits to be committed. */
  #dirtySince: number | undefined;
  /** Results of windows that had left at the last commit. */
  #committedResults = 0;
  /** When the last commit was made, and which watermark it carried (ms of event time). */
  #committedAt = Number.NEGATIVE_INFINITY;
  #committedWatermark = Number.NEGATIVE_INFINITY;
  /** When a commit last carried a higher watermark. */
  #raisedAt = Number.NEGATIVE_INFINITY;
  /** When time was last made to move on so that the watermark can be committed. */
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

  /** So many events were read: 0 where only the position has moved. */
  read(events: number): void {
    this.#uncommitted += events;
    this.changed();
  }

  /** Something is to be committed. */
  changed(): void {
    this.#dirtySince ??= this.#time.monotonic();
  }

  /** A commit is about to be made of what the steps have now. */
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

  /** When the next commit is due: at once when results of windows have left or enough events came, else in time. */
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
   * When time is to move on though no window is due, so that readers of the store see the watermark of a partition
   * move that has nothing to read. A position that moves without events, as heartbeats move it, is nothing to read either.
   */
  refreshDue({ watermark }: TaskGraph): number | undefined {
    if (!this.#commits || this.#uncommitted > 0 || watermark === undefined) return undefined;
    return Math.max(this.#raisedAt, this.#refreshedAt) + this.#watermarkEveryMs;
  }

  /** When the store is to be asked whether another owner has the task. */
  ownerDue(): number | undefined {
    return this.#commits ? Math.max(this.#committedAt, this.#ownerAskedAt) + OWNER_EVERY_MS : undefined;
  }

  get #watermarkEveryMs(): number {
    return Math.max(this.#everyMs, WATERMARK_EVERY_MS);
  }
}
