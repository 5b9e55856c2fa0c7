import { compare, firstOf, type Difference } from "./comparison.ts";
import { drive, type CallOutput } from "./drive.ts";
import type { Fields } from "./fields.ts";
import { callOf, stepsOf, type Step } from "./items.ts";
import { clockOf, foldFor, windowerOf } from "./subject.ts";

/** A result as the vectors write it, and the call it came in. */
interface Result {
  readonly call: number;
  readonly key: string;
  readonly id: number | undefined;
  readonly open: number;
  readonly close: number;
  readonly value: unknown;
  readonly revision: number;
  readonly cause: string;
}

/** How a stream vector may be run besides as it says, without any difference in what comes out. */
export interface StreamVariation {
  readonly pageSize?: number;
}

/** One window operator over one partition, time model `stream`. */
export function runStream(vector: Fields, variation: StreamVariation = {}): Difference {
  const steps = stepsOf(vector.objects("items"));
  const windower = windowerOf(vector.object("windower"));
  const { outputs, engine } = drive(
    {
      windower,
      clock: clockOf(vector.object("clock")),
      fold: foldFor(vector).fold,
      idle: vector.oneOf("idle", "drained", "never"),
      allowedLateness: vector.optionalNumber("allowed_lateness_ms") ?? 0,
      ordered: vector.flag("ordered"),
      ...variation,
    },
    steps,
    { eof: vector.flag("eof"), wakeOnRestart: false },
  );
  const { counted, late } = engine.stats();
  return firstOf(
    compare(
      "expected_results",
      inOrder(actualOf(outputs, windower.kind)),
      inOrder(expectedOf(vector, steps)),
    ),
    compare("expected_late", lateOf(outputs), vector.list("expected_late")),
    compare("counted", counted, vector.number("counted")),
    compare("late", late, vector.number("late")),
  );
}

function actualOf(outputs: readonly CallOutput[], kind: string): readonly Result[] {
  return outputs.flatMap(({ call, output }) =>
    output.results.map(({ key, value, window: { id, open, close }, revision, cause }) => {
      return {
        call,
        key,
        id: kind === "session" ? undefined : Number(id),
        open,
        close,
        value,
        revision,
        cause,
      };
    }),
  );
}

function expectedOf(vector: Fields, steps: readonly Step[]): readonly Result[] {
  const after = vector.list("emitted_after_item");
  return vector.list("expected_results").map((json, index) => {
    const [key, row] = json as readonly [string, Readonly<Record<string, unknown>>];
    return {
      call: callOf(steps, after[index]),
      key,
      id: row["id"] as number | undefined,
      open: row["open_ms"] as number,
      close: row["close_ms"] as number,
      value: row["value"],
      revision: row["revision"] as number,
      cause: row["cause"] as string,
    };
  });
}

function lateOf(outputs: readonly CallOutput[]): readonly unknown[] {
  return outputs.flatMap(({ output }) =>
    output.late.map(({ key, timestamp, value }) => [key, timestamp, value.value]),
  );
}

/** The order of keys with equal (close, id) is not compared: within such a run they are sorted. */
function inOrder(results: readonly Result[]): readonly Result[] {
  const runs: Result[][] = [];
  for (const result of results) {
    const run = runs.at(-1);
    const first = run?.[0];
    if (first?.call === result.call && first.close === result.close && first.id === result.id)
      run?.push(result);
    else runs.push([result]);
  }
  return runs.flatMap((run) =>
    run.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.open - b.open)),
  );
}
