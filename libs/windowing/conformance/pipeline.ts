import { count, type Window } from "../src/index.ts";
import { compare, firstOf, type Difference } from "./comparison.ts";
import { drive, type CallOutput } from "./drive.ts";
import type { Fields } from "./fields.ts";
import { callOf, stepsOf, type Step } from "./items.ts";
import { clockOf, foldFor, rowsOf, windowerOf } from "./subject.ts";

/** A row as the vectors write it, and the call it came in. */
interface Row {
  readonly call: number;
  readonly key: string;
  readonly id: number;
  readonly value: unknown;
}

/** One window operator over one partition, time model `perKey`. */
export function runPipeline(vector: Fields): Difference {
  const steps = stepsOf(vector.objects("items"));
  const { fold, ordered } = foldFor(vector);
  const options = {
    timeModel: "perKey" as const,
    windower: windowerOf(vector.object("windower")),
    clock: clockOf(vector.object("clock")),
    ordered: vector.has("ordered") ? vector.flag("ordered") : ordered,
    fold,
  };
  const how = { eof: vector.flag("eof"), wakeOnRestart: true };
  const { outputs } = drive(options, steps, how);
  // A window of matches closes without a row: a count over the same windows shows when.
  const closings =
    fold.match === undefined ? outputs : drive({ ...options, fold: count() }, steps, how).outputs;
  const [down, late, meta] = [downOf(vector, outputs), lateOf(outputs), metaOf(closings)];
  if (vector.has("recommended_down")) return compareRecommended(vector, down, late, meta);
  return firstOf(
    compareRows(vector, steps, "down", down),
    compareRows(vector, steps, "late", late),
    compareRows(vector, steps, "meta", meta),
  );
}

/**
 * Where the original is known to be wrong, what its documentation promises holds, and nothing else, whenever it comes
 * out. What else the vector reports was seen with the wrong rows: of windows that are not to come there is nothing, and
 * their events are late.
 */
function compareRecommended(
  vector: Fields,
  down: readonly Row[],
  late: readonly Row[],
  meta: readonly Row[],
): Difference {
  const rows = (name: string): readonly Row[] => vector.list(name).map((json) => rowFrom(json, 0));
  const recommended = rows("recommended_down");
  const expected = rows("expected_down");
  const sameWindows = expected.length === recommended.length;
  const expectedMeta = rows("expected_meta").map((row) => JSON.stringify(row));
  const unexpected = (found: readonly Row[], known: readonly string[]): readonly Row[] =>
    found.map((row) => ({ ...row, call: 0 })).filter((row) => !known.includes(JSON.stringify(row)));
  return firstOf(
    compare("recommended_down", inOrder(down.map((row) => ({ ...row, call: 0 }))), inOrder(recommended)),
    compare("expected_meta", unexpected(meta, expectedMeta), []),
    sameWindows
      ? compare(
          "expected_late",
          inOrder(late.map((row) => ({ ...row, call: 0 }))),
          inOrder(rows("expected_late")),
        )
      : undefined,
  );
}

function compareRows(
  vector: Fields,
  steps: readonly Step[],
  name: "down" | "late" | "meta",
  actual: readonly Row[],
): Difference {
  const after = vector.object("emitted_after_item").list(name);
  const rows = vector.list(`expected_${name}`);
  const expected = rows.map((json, index) => rowFrom(json, callOf(steps, after[index])));
  return compare(`expected_${name}`, inOrder(actual), inOrder(expected));
}

function downOf(vector: Fields, outputs: readonly CallOutput[]): readonly Row[] {
  return outputs.flatMap(({ call, output }) =>
    output.results.flatMap(({ key, window, value }) =>
      rowsOf(vector, value).map((row) => ({ call, key, id: Number(window.id), value: row })),
    ),
  );
}

function lateOf(outputs: readonly CallOutput[]): readonly Row[] {
  return outputs.flatMap(({ call, output }) =>
    output.late.flatMap(({ key, windows, value }) =>
      windows.map(({ id }) => ({ call, key, id: Number(id), value: value.value })),
    ),
  );
}

function metaOf(outputs: readonly CallOutput[]): readonly Row[] {
  return outputs.flatMap(({ call, output }) =>
    output.results.map(({ key, window }) => ({ call, key, id: Number(window.id), value: metaFrom(window) })),
  );
}

function metaFrom({ open, close, mergedIds }: Window): unknown {
  return { open_ms: open, close_ms: close, merged_ids: [...mergedIds] };
}

function rowFrom(json: unknown, call: number): Row {
  const [key, [id, value]] = json as readonly [string, readonly [number, unknown]];
  return { call, key, id, value };
}

/** Within one call, the order of keys is not compared, nor the order of one key's windows. */
function inOrder(rows: readonly Row[]): readonly Row[] {
  return [...rows].sort((a, b) => a.call - b.call || compareText(a.key, b.key) || a.id - b.id);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
