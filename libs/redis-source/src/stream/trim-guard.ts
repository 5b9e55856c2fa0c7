import { compareIds } from "./entry-id.ts";
import type { GroupProgress } from "./group-commands.ts";

/** A group seen at a place, and since when. */
interface Sighting {
  readonly doneUpTo: string;
  readonly since: number;
  readonly abandoned: boolean;
}

/** What a look at the groups says about trimming. */
export interface TrimVerdict {
  /** Entries below may go. */
  readonly below: string;
  /** Groups that have stopped holding the trimming since the last look. */
  readonly abandoned: readonly string[];
  /** Groups that hold it again, since they were seen to go on. */
  readonly back: readonly string[];
}

/**
 * Says how far a stream may be trimmed: up to what was committed, never past what another group has not done. A group
 * that keeps standing where it is stops holding for so long, until it moves: nobody may be there any more.
 *
 * How long a group stands is counted from when it was first seen there, so a restart gives it new time.
 */
export class TrimGuard {
  readonly #own: string;
  readonly #abandonedAfterMs: number;
  #sightings: ReadonlyMap<string, Sighting> = new Map();

  /** @param own the task's own group, which is not looked at: its task knows better */
  constructor(own: string, abandonedAfterMs: number) {
    this.#own = own;
    this.#abandonedAfterMs = abandonedAfterMs;
  }

  /** How many groups hold nothing any more. */
  get abandonedGroups(): number {
    return [...this.#sightings.values()].filter(({ abandoned }) => abandoned).length;
  }

  /**
   * @param committed the last entry that this task has committed
   * @param now by the monotonic clock, ms
   */
  judge(committed: string, groups: readonly GroupProgress[], now: number): TrimVerdict {
    let below = committed;
    const abandoned: string[] = [];
    const back: string[] = [];
    const sightings = new Map<string, Sighting>();
    for (const { name, doneUpTo } of groups) {
      if (name === this.#own) continue;
      const before = this.#sightings.get(name);
      const since = before?.doneUpTo === doneUpTo ? before.since : now;
      const behind = compareIds(doneUpTo, committed) < 0;
      const stands = behind && now - since >= this.#abandonedAfterMs;
      sightings.set(name, { doneUpTo, since, abandoned: stands });
      if (stands && before?.abandoned !== true) abandoned.push(name);
      if (!stands && before?.abandoned === true) back.push(name);
      if (behind && !stands && compareIds(doneUpTo, below) < 0) below = doneUpTo;
    }
    this.#sightings = sightings;
    return { below, abandoned, back };
  }
}
