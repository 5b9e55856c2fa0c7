import type { Dataflow } from "../dataflow.ts";
import { StateMismatchError } from "../errors.ts";
import { differencesOf } from "./state-difference.ts";

/** What stored state depends on: the flow's version, and its stateful steps with what their state depends on. */
export function signatureOf(flow: Dataflow): string {
  const steps = flow.graph.nodes.flatMap(({ id, state }) => (state === undefined ? [] : [`${id}: ${state}`]));
  return [`${flow.id} v${flow.options.version ?? 1}`, ...steps.sort()].join("; ");
}

/** @throws StateMismatchError for state of a flow of another shape */
export function requireSameSignature(task: string, kept: string, own: string): void {
  if (kept === own) return;
  const differences = differencesOf(kept, own);
  const what = differences.length === 0 ? `kept "${kept}", now "${own}"` : differences.join("; ");
  throw new StateMismatchError(
    `task ${task}: the stored state was written by a different flow. ${what}. Run the flow that wrote it, with the same options (such as --window ` +
      "and --clock), or reset the state",
  );
}
