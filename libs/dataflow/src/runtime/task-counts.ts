/** The counts of one step. */
export interface StepCounts {
  readonly eventsIn: number;
  readonly eventsOut: Readonly<Record<string, number>>;
  /** The operator's own metrics, without its gauges. */
  readonly figures: Readonly<Record<string, number>>;
}

/** The counts of a task: they only grow, and are in events unless stated otherwise. */
export interface TaskCounts {
  /** Taken from the source. */
  readonly read: number;
  readonly duplicates: number;
  readonly lost: number;
  /** Payloads that the source itself refused. */
  readonly rejected: number;
  /** Delivered, but possibly duplicates. */
  readonly possibleDuplicates: number;
  /** Delivered, but the number or publish time of their message is implausible. */
  readonly suspicious: number;
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
  possibleDuplicates: 0,
  suspicious: 0,
  batches: 0,
  commits: 0,
  steps: {},
};

/** Events that were read, with those that the source itself refused. */
export function eventsOf({ read, rejected }: TaskCounts): number {
  return read + rejected;
}

export function sumOf(a: TaskCounts, b: TaskCounts): TaskCounts {
  const steps: Record<string, StepCounts> = { ...a.steps };
  for (const [id, counts] of Object.entries(b.steps)) {
    // A null prototype, since a step may have the name of a property of every object.
    const other = Object.hasOwn(steps, id) ? steps[id] : undefined;
    steps[id] = other === undefined ? counts : sumOfStep(other, counts);
  }
  return {
    read: a.read + b.read,
    duplicates: a.duplicates + b.duplicates,
    lost: a.lost + b.lost,
    rejected: a.rejected + b.rejected,
    possibleDuplicates: a.possibleDuplicates + b.possibleDuplicates,
    suspicious: a.suspicious + b.suspicious,
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
