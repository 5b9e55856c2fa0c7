import type { Commit, Json, Store, TaskId, TaskState } from "@millrace/dataflow";
import { StreamOutput } from "../../src/sinks/redis-output.ts";
import type { StreamTarget } from "../../src/sinks/redis-output.ts";

export const TASK: TaskId = { flow: "mobile_counts", part: "{device_events:3}" };

/** The start of every key of {@link TASK}. */
export const BASE = "millrace:{device_events:3}:mobile_counts";

export function commitOf(number: number, rest: Partial<Commit> = {}): Commit {
  return {
    number,
    format: 1,
    signature: "mobile_counts v1",
    position: { id: `${number}-0` },
    sinks: {},
    changes: [],
    outputs: [],
    partial: false,
    watermark: null,
    counts: null,
    ...rest,
  };
}

export function put(group: string, fields: Readonly<Record<string, Json>>): Commit["changes"][number] {
  return { group, put: Object.entries(fields) };
}

/** Rows for the stream `results:out`. */
export function rowsOut(...rows: readonly Json[]): StreamOutput {
  return rowsTo({}, ...rows);
}

/** The same, with a target of its own. */
export function rowsTo(target: Partial<StreamTarget>, ...rows: readonly Json[]): StreamOutput {
  const whole = { output: "out", maxLength: 1_000_000, notice: undefined, ...target };
  return new StreamOutput(
    "out",
    whole,
    rows.map((row) => JSON.stringify(row)),
  );
}

/** A commit larger than one script call: `size` fields of `group`, and as many rows. */
export function largeCommit(number: number, size = 3_000): Commit {
  const numbers = Array.from({ length: size }, (_, i) => i);
  return commitOf(number, {
    changes: [{ group: `w/${number}`, put: numbers.map((i) => [`key ${i}`, [i]]) }],
    outputs: [rowsOut(...numbers.map((i) => ({ number, i })))],
  });
}

/** A state that can be compared: groups and fields in no particular order. */
export type PlainState = Omit<TaskState, "groups"> & {
  readonly groups: Readonly<Record<string, Readonly<Record<string, Json>>>>;
};

export function plain(state: TaskState | undefined): PlainState | undefined {
  if (state === undefined) return undefined;
  const { groups, ...rest } = state;
  return {
    ...rest,
    groups: Object.fromEntries([...groups].map(([name, fields]) => [name, Object.fromEntries(fields)])),
  };
}

/** The state that a new owner loads. */
export async function takeOver(store: Store, task: TaskId = TASK): Promise<PlainState | undefined> {
  return plain(await (await store.acquire(task)).load());
}
