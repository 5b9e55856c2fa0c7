import type { Json, SinkPartition, StoreOutput } from "@millrace/dataflow";
import { targetToJson } from "./result-target.ts";
import type { ResultTarget } from "./result-target.ts";

/** Keeps rows until the commit that makes them visible takes them. */
export class ResultPartition<T> implements SinkPartition<T> {
  readonly #step: string;
  readonly #target: Json;
  readonly #toJson: (row: T) => Json;
  #rows: Json[] = [];

  constructor(step: string, target: ResultTarget, toJson: (row: T) => Json) {
    this.#step = step;
    this.#target = targetToJson(target);
    this.#toJson = toJson;
  }

  writeBatch(rows: readonly T[]): Promise<void> {
    for (const row of rows) this.#rows.push(this.#toJson(row));
    return Promise.resolve();
  }

  takeOutputs(): readonly StoreOutput[] {
    if (this.#rows.length === 0) return [];
    const rows = this.#rows;
    this.#rows = [];
    return [{ step: this.#step, target: this.#target, rows }];
  }

  /** Rows leave with the commit. */
  flush(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#rows = [];
    return Promise.resolve();
  }
}
