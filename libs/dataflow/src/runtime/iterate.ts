import type { Dataflow } from "../dataflow.ts";
import { CallbackSink } from "../sinks/callback-sink.ts";
import type { Key, Stream } from "../stream.ts";
import type { RunOptions } from "./options.ts";
import { start } from "./run.ts";

/** Rows of one batch, and how to say that they were taken. */
interface Delivery<T> {
  readonly rows: readonly T[];
  readonly taken: () => void;
}

/**
 * Runs a flow and iterates over the rows of one of its streams, as an output named `rows`. The flow starts with the
 * iteration and reads no faster than rows are taken: a batch is done, and may be committed, when its last row was taken
 * (at least once after a crash). Leaving the loop stops the flow; a flow that fails rejects the iteration.
 *
 * @example for await (const { key, value } of iterate(flow, counts)) console.log(key, value);
 * @throws FlowError for a flow or an option that is invalid; the error of the first task that failed
 */
export async function* iterate<T, K extends Key>(
  flow: Dataflow,
  stream: Stream<T, K>,
  options: RunOptions = {},
): AsyncGenerator<T, void, undefined> {
  const waiting: Delivery<T>[] = [];
  let state: "running" | "ended" | "left" = "running";
  let wake: () => void = () => undefined;
  const sink = new CallbackSink<T>((rows) => {
    if (state !== "running") return;
    return new Promise((taken) => {
      waiting.push({ rows, taken });
      wake();
    });
  });
  stream.output("rows", sink);
  const running = start(flow, options);
  const end = (): void => {
    state = "ended";
    wake();
  };
  running.done.then(end, end);
  const nextIsThere = (): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve;
    });
  try {
    for (;;) {
      const next = waiting.shift();
      if (next !== undefined) {
        try {
          yield* next.rows;
        } finally {
          next.taken();
        }
      } else if (isOver(state)) break;
      else await nextIsThere();
    }
  } finally {
    state = "left";
    for (const { taken } of waiting) taken();
    await running.stop();
  }
}

/** Another function's view: it changes while the iteration waits. */
function isOver(state: "running" | "ended" | "left"): boolean {
  return state !== "running";
}
