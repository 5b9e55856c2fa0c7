import type { Dataflow } from "../dataflow.ts";
import { FlowError } from "../errors.ts";
import { CallbackSink } from "../sinks/callback-sink.ts";
import type { Key, Stream } from "../stream.ts";
import type { RunOptions } from "./options.ts";
import { start } from "./run.ts";
import type { RunHandle } from "./run.ts";

/** Rows of one batch, and how to say that they were taken. */
interface Delivery<T> {
  readonly rows: readonly T[];
  readonly taken: () => void;
  readonly refuse: (error: Error) => void;
}

/** The loop was left in the middle of a batch. */
class LoopLeft extends Error {}

/**
 * Runs a flow and iterates over the rows of one of its streams, as an output named `rows`. The flow starts with the
 * iteration and reads no faster than rows are taken. A batch is done, and may be committed, when the loop asks for the row
 * after its last one; so after a crash, or when the loop is left, rows may come again in the next run with the same store,
 * and none is left out. Leaving the loop stops the flow; a flow that fails rejects the iteration.
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
  const left = new LoopLeft("the loop over the rows was left");
  let state: "running" | "ended" | "left" = "running";
  let wake: () => void = () => undefined;
  const sink = new CallbackSink<T>((rows) => {
    if (state === "left") throw left;
    return new Promise((taken, refuse) => {
      waiting.push({ rows, taken, refuse });
      wake();
    });
  });
  stream.output("rows", sink);
  if (flow.graph.node("rows") === undefined) {
    throw new FlowError(`flow "${flow.id}" cannot return rows of a stream of another flow`);
  }
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
      const [next] = waiting;
      if (next !== undefined) {
        yield* next.rows;
        next.taken();
        waiting.shift();
      } else if (isOver(state)) break;
      else await nextIsThere();
    }
  } finally {
    state = "left";
    for (const { refuse } of waiting) refuse(left);
    await ended(running, left);
  }
}

/** @throws the error of the run, unless it is that the loop was left */
async function ended(running: RunHandle, left: LoopLeft): Promise<void> {
  try {
    await running.stop();
  } catch (error) {
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) if (cause === left) return;
    throw error;
  }
}

/** Another function's view: it changes while the iteration waits. */
function isOver(state: "running" | "ended" | "left"): boolean {
  return state !== "running";
}
