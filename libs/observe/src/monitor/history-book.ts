import type { History, Sample, Tasks } from "../api/schemas.ts";

const KEPT = 600;
/** Between two samples, ms. */
export const SAMPLE_EVERY_MS = 1_000;

/** Totals of the flow in the last ten minutes. */
export class HistoryBook {
  readonly #samples: Sample[] = [];

  /** @param rowsOut rows that the sinks have accepted */
  add(tasks: Tasks, rowsOut: number): Sample {
    const sample = sampleOf(tasks, rowsOut);
    this.#samples.push(sample);
    if (this.#samples.length > KEPT) this.#samples.shift();
    return sample;
  }

  view(): History {
    return { everyMs: SAMPLE_EVERY_MS, samples: [...this.#samples] };
  }
}

function sampleOf({ at, account, tasks }: Tasks, rowsOut: number): Sample {
  const { received, counted, late, lost } = account;
  let commits = 0;
  let lagMs: number | null = null;
  let watermarkAgeMs: number | null = null;
  for (const task of tasks) {
    commits += task.commits;
    lagMs = larger(lagMs, task.lagMs);
    watermarkAgeMs = larger(watermarkAgeMs, task.watermarkAgeMs);
  }
  return { at, received, counted, late, lost, rowsOut, commits, lagMs, watermarkAgeMs };
}

function larger(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : Math.max(a, b);
}
