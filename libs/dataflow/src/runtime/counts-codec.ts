import { randomBytes } from "node:crypto";
import type { Json } from "@millrace/windowing";
import { NO_COUNTS } from "./task-counts.ts";
import type { StepCounts, TaskCounts } from "./task-counts.ts";

/** What a number counts: for the task, or for one of its steps. */
type Column =
  | { readonly of: "task"; readonly name: TaskFigure }
  | { readonly of: "step"; readonly step: string; readonly kind: StepFigure; readonly name: string };

type TaskFigure = Exclude<keyof TaskCounts, "steps">;
type StepFigure = keyof StepCounts;

/**
 * Counts as the row of numbers in a commit, after the name of the run and the number of keys of its steps. The meaning
 * of each number stays in memory: only the run that wrote a row can use it.
 */
export class CountsCodec {
  /** Identifies this run. */
  readonly #name = randomBytes(6).toString("base64url");
  /** A count keeps its index: earlier rows are shorter than later ones. */
  readonly #columns: Column[] = [];
  readonly #places = new Map<string, number>();

  /** @param keys held by the steps */
  encode(counts: TaskCounts, keys: number): Json {
    const row: number[] = [];
    for (const [column, value] of figuresOf(counts)) row[this.#placeOf(column)] = value;
    // A step that has counted nothing so far may have no values at its indexes.
    return [this.#name, keys, ...Array.from(row, (value: number | undefined) => value ?? 0)];
  }

  /** @returns `undefined` if another run wrote the counts, or there are none */
  decode(kept: Json | undefined): TaskCounts | undefined {
    if (!Array.isArray(kept) || kept[0] !== this.#name) return undefined;
    const task: Record<TaskFigure, number> = { ...NO_COUNTS };
    const steps = new Map<string, { eventsIn: number; eventsOut: Figures; figures: Figures }>();
    for (const [place, column] of this.#columns.entries()) {
      const value = Number(kept[place + FIRST_PLACE] ?? 0);
      if (column.of === "task") {
        task[column.name] = value;
        continue;
      }
      const step = steps.get(column.step) ?? { eventsIn: 0, eventsOut: {}, figures: {} };
      steps.set(column.step, step);
      if (column.kind === "eventsIn") step.eventsIn = value;
      else step[column.kind][column.name] = value;
    }
    return { ...task, steps: Object.fromEntries(steps) };
  }

  #placeOf(column: Column): number {
    const key = JSON.stringify(Object.values(column));
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    this.#places.set(key, this.#columns.length);
    return this.#columns.push(column) - 1;
  }
}

/** Keys that the steps held at a commit, of any run; 0 if unknown. */
export function keysKept(kept: Json): number {
  const keys: unknown = Array.isArray(kept) ? kept[1] : undefined;
  return typeof keys === "number" ? keys : 0;
}

/** The first two values are the run's name and the number of keys. */
const FIRST_PLACE = 2;

type Figures = Record<string, number>;

function* figuresOf({ steps, ...task }: TaskCounts): Generator<readonly [Column, number]> {
  for (const name of TASK_FIGURES) yield [{ of: "task", name }, task[name]];
  for (const [step, { eventsIn, eventsOut, figures }] of Object.entries(steps)) {
    yield [{ of: "step", step, kind: "eventsIn", name: "" }, eventsIn];
    for (const [name, value] of Object.entries(eventsOut))
      yield [{ of: "step", step, kind: "eventsOut", name }, value];
    for (const [name, value] of Object.entries(figures))
      yield [{ of: "step", step, kind: "figures", name }, value];
  }
}

const TASK_FIGURES: readonly TaskFigure[] = [
  "read",
  "duplicates",
  "lost",
  "rejected",
  "possibleDuplicates",
  "suspicious",
  "batches",
  "commits",
];
