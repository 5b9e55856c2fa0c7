import { compareIds } from "./entry-id.ts";
import type { GroupProgress } from "./group-commands.ts";

/** How far a group was when last seen, and since when. */
interface GroupObservation {
  readonly doneUpTo: string;
  readonly since: number;
  readonly abandoned: boolean;
}

/** The result of {@link TrimGuard.trimPoint}. */
export interface TrimVerdict {
  /** Entries below this id may be deleted. */
  readonly below: string;
  /** Groups that stopped blocking trimming since the last call. */
  readonly abandoned: readonly string[];
  /** Groups that block it again, because they made progress. */
  readonly resumed: readonly string[];
}

/**
 * Decides how far a stream may be trimmed: up to what was committed, and never past what another group has not done. A
 * group without progress for `abandonedAfterMs` no longer blocks trimming until it makes progress: its readers may be gone.
 *
 * The time without progress counts from when the group was first seen at that id, so it starts again after a restart.
 */
export class TrimGuard {
  readonly #own: string;
  readonly #abandonedAfterMs: number;
  #observations: ReadonlyMap<string, GroupObservation> = new Map();

  /** @param own the task's own group, which is ignored: the task knows its own progress */
  constructor(own: string, abandonedAfterMs: number) {
    this.#own = own;
    this.#abandonedAfterMs = abandonedAfterMs;
  }

  /** How many groups no longer block trimming. */
  get abandonedGroups(): number {
    return [...this.#observations.values()].filter(({ abandoned }) => abandoned).length;
  }

  /**
   * @param committed the last entry that this task has committed
   * @param now by the monotonic clock, ms
   */
  trimPoint(committed: string, groups: readonly GroupProgress[], now: number): TrimVerdict {
    let below = committed;
    const abandoned: string[] = [];
    const resumed: string[] = [];
    const observations = new Map<string, GroupObservation>();
    for (const { name, doneUpTo } of groups) {
      if (name === this.#own) continue;
      const before = this.#observations.get(name);
      const since = before?.doneUpTo === doneUpTo ? before.since : now;
      const behind = compareIds(doneUpTo, committed) < 0;
      const stalled = behind && now - since >= this.#abandonedAfterMs;
      observations.set(name, { doneUpTo, since, abandoned: stalled });
      if (stalled && before?.abandoned !== true) abandoned.push(name);
      if (!stalled && before?.abandoned === true) resumed.push(name);
      if (behind && !stalled && compareIds(doneUpTo, below) < 0) below = doneUpTo;
    }
    this.#observations = observations;
    return { below, abandoned, resumed };
  }
}
