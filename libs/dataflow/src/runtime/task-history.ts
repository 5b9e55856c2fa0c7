import type { Json } from "@millrace/windowing";
import { CountsCodec } from "./counts-codec.ts";
import { NO_COUNTS, eventsOf, sumOf } from "./task-counts.ts";
import type { TaskCounts } from "./task-counts.ts";

/**
 * What one partition's task has counted in a run, over all its lives. A task whose store was rolled back is opened
 * again at an older commit and reads on from there: what was counted after that commit is then discarded, so that no
 * event is counted twice. Each commit carries the counts that stand with it, so they are right however far the store
 * was rolled back.
 */
export class TaskHistory {
  readonly #codec = new CountsCodec();
  #earlier = NO_COUNTS;
  #discarded = 0;
  #reloads = 0;

  /** What stands of earlier lives; the present life's counts come on top. */
  get earlier(): TaskCounts {
    return this.#earlier;
  }

  /** Events that were taken, and not committed in a way that lasted. */
  get discarded(): number {
    return this.#discarded;
  }

  /** How often the task was opened again. */
  get reloads(): number {
    return this.#reloads;
  }

  /** What a commit keeps. @param counts of this life, with that commit; @param keys that the steps keep with it */
  toKeep(counts: TaskCounts, keys: number): Json {
    return this.#codec.encode(sumOf(this.#earlier, counts), keys);
  }

  /**
   * A life is over, and another one begins at a commit that is not known yet.
   *
   * @param committed what the one that is over had counted at its last commit; @param events what it had taken in all
   */
  rolledBack(committed: TaskCounts, events: number): void {
    this.#discarded += events - eventsOf(committed);
    this.#earlier = sumOf(this.#earlier, committed);
    this.#reloads += 1;
  }

  /**
   * A life begins. Where it begins before this run did, nothing of this run's own stands.
   *
   * @param kept what {@link toKeep} returned for the commit that it begins at, or another run's did; `undefined`: none
   */
  resumed(kept: Json | undefined): void {
    const standing = this.#codec.decode(kept) ?? NO_COUNTS;
    this.#discarded += eventsOf(this.#earlier) - eventsOf(standing);
    this.#earlier = standing;
  }
}
