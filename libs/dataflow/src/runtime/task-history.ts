/** What one step has counted. */
export interface StepCounts {
  readonly eventsIn: number;
  readonly eventsOut: Readonly<Record<string, number>>;
  /** The operator's own figures, but for its gauges. */
  readonly figures: Readonly<Record<string, number>>;
}

/** What a task has counted: figures that only grow, in events unless they say otherwise. */
export interface TaskCounts {
  /** Taken from the source. */
  readonly read: number;
  readonly duplicates: number;
  readonly lost: number;
  /** Payloads that the source itself refused. */
  readonly rejected: number;
  readonly batches: number;
  readonly commits: number;
  readonly steps: Readonly<Record<string, StepCounts>>;
}

/** Nothing counted. */
export const NO_COUNTS: TaskCounts = {
  read: 0,
  duplicates: 0,
  lost: 0,
  rejected: 0,
  batches: 0,
  commits: 0,
  steps: {},
};

/** Commits whose counts are kept. The newest half are kept one by one; of older ones fewer, the older they are. */
const MAX_CHECKPOINTS = 64;

/**
 * What one partition's task has counted in a run, over all its lives. A task whose store was rolled back is opened
 * again at an older commit and reads on from there: what was counted after that commit is then discarded, so that no
 * event is counted twice.
 */
export class TaskHistory {
  #earlier = NO_COUNTS;
  #discarded = 0;
  #reloads = 0;
  /** What had been counted at each commit, by ascending number. */
  #checkpoints: { readonly number: number; readonly counts: TaskCounts }[] = [];

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

  /** @param counts of this life */
  committed(number: number, counts: TaskCounts): void {
    this.#checkpoints.push({ number, counts: sumOf(this.#earlier, counts) });
    if (this.#checkpoints.length <= MAX_CHECKPOINTS) return;
    const recent = this.#checkpoints.length - MAX_CHECKPOINTS / 2;
    this.#checkpoints = this.#checkpoints.filter((_, index) => index >= recent || index % 2 === 0);
  }

  /** A life is over, and another one begins at a commit that is not known yet. @param counts of the one that is over */
  rolledBack(counts: TaskCounts): void {
    this.#earlier = sumOf(this.#earlier, counts);
    this.#reloads += 1;
  }

  /** A life begins at this commit; 0: at none. Where its counts are not kept any more, those of one before it stand. */
  resumed(number: number): void {
    this.#checkpoints = this.#checkpoints.filter((checkpoint) => checkpoint.number <= number);
    const standing = this.#checkpoints.at(-1)?.counts ?? NO_COUNTS;
    this.#discarded += eventsOf(this.#earlier) - eventsOf(standing);
    this.#earlier = standing;
  }
}

function eventsOf({ read, rejected }: TaskCounts): number {
  return read + rejected;
}

export function sumOf(a: TaskCounts, b: TaskCounts): TaskCounts {
  const steps: Record<string, StepCounts> = { ...a.steps };
  for (const [id, counts] of Object.entries(b.steps)) {
    // A step may have the name of what every object has.
    const other = Object.hasOwn(steps, id) ? steps[id] : undefined;
    steps[id] = other === undefined ? counts : sumOfStep(other, counts);
  }
  return {
    read: a.read + b.read,
    duplicates: a.duplicates + b.duplicates,
    lost: a.lost + b.lost,
    rejected: a.rejected + b.rejected,
    batches: a.batches + b.batches,
    commits: a.commits + b.commits,
    steps,
  };
}

function sumOfStep(a: StepCounts, b: StepCounts): StepCounts {
  return {
    eventsIn: a.eventsIn + b.eventsIn,
    eventsOut: sumByName(a.eventsOut, b.eventsOut),
    figures: sumByName(a.figures, b.figures),
  };
}

function sumByName(
  a: Readonly<Record<string, number>>,
  b: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  const sums: Record<string, number> = { ...a };
  for (const [name, value] of Object.entries(b))
    sums[name] = (Object.hasOwn(sums, name) ? (sums[name] ?? 0) : 0) + value;
  return sums;
}
