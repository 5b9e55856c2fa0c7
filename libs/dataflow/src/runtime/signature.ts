import type { Dataflow } from "../dataflow.ts";
import { StateMismatchError } from "../errors.ts";

/** What kept state depends on: the flow's version, and its steps that keep any with what their state depends on. */
export function signatureOf(flow: Dataflow): string {
  const steps = flow.graph.nodes.flatMap(({ id, state }) => (state === undefined ? [] : [`${id}: ${state}`]));
  return [`${flow.id} v${flow.options.version ?? 1}`, ...steps.sort()].join("; ");
}

/** @throws StateMismatchError for state of a flow of another shape */
export function requireSameSignature(task: string, kept: string, own: string): void {
  if (kept === own) return;
  throw new StateMismatchError(
    `task ${task}: kept state belongs to the flow "${kept}", this one is "${own}"; run it with the version and the options that wrote it (windows, clocks and folds count), or reset the state`,
  );
}
