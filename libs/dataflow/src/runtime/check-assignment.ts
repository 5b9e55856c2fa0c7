import type { Dataflow } from "../dataflow.ts";
import { FlowError } from "../errors.ts";
import { inputOf, sinksOf } from "./check-start.ts";
import type { RunOptions } from "./options.ts";

/**
 * Refuses what cannot work with tasks that go from worker to worker.
 *
 * @throws FlowError with the remedy
 */
export function requireShareable(flow: Dataflow, options: RunOptions): void {
  if (options.assignment?.shared !== true) return;
  const refuse = (what: string): never => {
    throw new FlowError(`flow "${flow.id}": its tasks are shared among workers, ${what}`);
  };
  if (options.store === undefined)
    refuse(
      "and it has no store from which the next worker could continue a task; run it with a store that all workers reach",
    );
  if (options.parts !== undefined)
    refuse(
      "and parts names those of this worker; leave parts out, since the assignment hands out all of them",
    );
  if (options.exitWhenIdleMs !== undefined && options.exitWhenIdleMs !== Infinity)
    refuse(
      "and this worker cannot see whether the others are idle; leave exitWhenIdleMs out, and stop the workers",
    );
  const { id, source } = inputOf(flow);
  if (source.keepsEvents === false)
    refuse(
      `and the source of "${id}" keeps no events: those that arrive between two workers would be lost; use a source that does, such as a stream`,
    );
  for (const [step, sink] of sinksOf(flow)) {
    if (sink.local === true)
      refuse(
        `and the rows of "${step}" go into a file of this process, which the next worker would not continue; use a sink that all workers reach, such as results in the store`,
      );
  }
}
