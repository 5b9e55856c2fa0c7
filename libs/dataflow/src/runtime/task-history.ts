import type { Json } from "@millrace/windowing";
import { CountsCodec } from "./counts-codec.ts";
import { NO_COUNTS, eventsOf, sumOf } from "./task-counts.ts";
import type { TaskCounts } from "./task-counts.ts";

/**
 * The counts of one partition's task in a run, over all its lives. A task whose store was rolled back is reopened at an
 * older commit and reads on from there: counts after that commit are discarded, so that no event is counted twice. Each
 * commit has the counts that are valid with it, so they are right however far the store was rolled back.
 */
export class TaskHistory {
  readonly #codec = new CountsCodec();
  #earlier = NO_COUNTS;
  readonly #shared: boolean;
  #discarded = 0;
  #uncommitted = 0;
  #reloads = 0;
  #fenced = 0;

  /** @param shared other workers may have the task in between */
  constructor(shared: boolean) {
    this.#shared = shared;
  }

  /** Valid counts of earlier lives, without the present life. */
  get earlier(): TaskCounts {
    return this.#earlier;
  }

  /** Events that were read, but whose commits were lost. */
  get discarded(): number {
    return this.#discarded;
  }

  /** Events of earlier lives that were read after their last commit, and left to another owner. */
  get uncommitted(): number {
    return this.#uncommitted;
  }

  /** How often another owner had the task. */
  get dropped(): number {
    return this.#fenced;
  }

  /** How often the task was reopened after a rollback. */
  get reloads(): number {
    return this.#reloads;
  }

  /** What a commit stores. @param counts of this life, with that commit; @param keys that the steps hold then */
  toKeep(counts: TaskCounts, keys: number): Json {
    return this.#codec.encode(sumOf(this.#earlier, counts), keys);
  }

  /**
   * A life ended with a rollback, and another one begins at a commit that is not known yet.
   *
   * @param committed the counts of the finished life at its last commit; @param events all that it had read
   */
  rolledBack(committed: TaskCounts, events: number): void {
    this.#discarded += events - eventsOf(committed);
    this.#earlier = sumOf(this.#earlier, committed);
    this.#reloads += 1;
  }

  /** A life is over, and another one begins. Parameters as for {@link rolledBack}. */
  ended(committed: TaskCounts, events: number): void {
    this.#uncommitted += events - eventsOf(committed);
    this.#earlier = sumOf(this.#earlier, committed);
  }

  /** The store has another owner. */
  fenced(): void {
    this.#fenced += 1;
  }

  /**
   * A life begins. If it begins before this run did, no counts of this run remain, unless they are those of another
   * worker, which has had the task in between.
   *
   * @param kept what {@link toKeep} returned at its first commit, in this or another run; `undefined`: none
   */
  resumed(kept: Json | undefined): void {
    const own = this.#codec.decode(kept);
    if (own === undefined && this.#shared && kept !== undefined) return;
    const standing = own ?? NO_COUNTS;
    const lost = eventsOf(this.#earlier) - eventsOf(standing);
    if (lost > 0) this.#discarded += lost;
    // A commit that was in flight when the task was lost was made after all.
    else this.#uncommitted = Math.max(0, this.#uncommitted + lost);
    this.#earlier = standing;
  }
}
