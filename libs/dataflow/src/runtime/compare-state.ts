import type { StateGroup } from "@millrace/windowing";
import type { TaskHead } from "../contracts/store.ts";
import type { Dataflow } from "../dataflow.ts";
import { StateFormatError, StateMismatchError } from "../errors.ts";
import type { GraphNode, StateMigration } from "../graph.ts";
import { BEGINNING } from "../operators/step-beginning.ts";
import { differencesOfStep, shapeOf, valueChanged } from "./state-difference.ts";

/** The latest format of commits. This version reads it, and all earlier ones. */
export const STATE_FORMAT = 2;

/**
 * The format of a commit of a task with these groups of steps: the earliest that has a place for all of them, so that an older
 * Millrace continues where it can. An older one would take the beginning of a window step for a window.
 */
export function formatOf(flow: Dataflow, groups: readonly StateGroup[]): number {
  const names = new Set(
    flow.graph.nodes.filter(({ windows }) => windows !== undefined).map(({ id }) => `${id}/${BEGINNING}`),
  );
  return groups.some(([group]) => names.has(group)) ? 2 : 1;
}

/** What becomes of the stored state of one step. */
export type StepComparison =
  /** The step continues. `from`: the id that it had, if that was another one. */
  | { readonly change: "kept"; readonly step: string; readonly from: string }
  /** The step is new, and begins without state. */
  | { readonly change: "begun"; readonly step: string }
  /** The state is deleted, as `dropState` says. */
  | { readonly change: "dropped"; readonly step: string; readonly kept: string }
  /** The step's `migrate` makes its state of the stored one. */
  | {
      readonly change: "migrated";
      readonly step: string;
      readonly from: string;
      readonly kept: string;
      readonly now: string;
    }
  /** The flow cannot continue. `step` is absent if no step is to blame. */
  | {
      readonly change: "refused";
      readonly step?: string;
      /** What differs, stored and now. */
      readonly why: string;
      /** Whether `dropState` with this step's id lets the flow start. */
      readonly droppable: boolean;
    };

/** What becomes of the stored state of all steps. */
export type StateComparison = readonly StepComparison[];

/** Describes the state of a flow: its version, and its stateful steps with what their state depends on. */
export function signatureOf(flow: Dataflow): string {
  const steps = statefulSteps(flow).map(({ id, state }) => `${id}: ${state}`);
  return [`${flow.id} v${versionOf(flow)}`, ...steps.sort()].join("; ");
}

/**
 * Compares stored state with a flow that is to continue from it, step by step. Only stateful steps matter, and the version of
 * the flow. Nothing is read or written.
 *
 * @param kept signature of the last commit
 * @param dropState ids of steps whose state may be deleted, if the flow cannot continue from it
 */
export function compareState(
  kept: string,
  flow: Dataflow,
  dropState: readonly string[] = [],
): StateComparison {
  const before = shapeOf(kept);
  const version = versionOf(flow);
  if (before.version !== version)
    return [
      {
        change: "refused",
        why: valueChanged("the flow's version", before.version, version),
        droppable: false,
      },
    ];
  const left = new Map(before.steps);
  const steps = statefulSteps(flow);
  const changes = steps.flatMap((node): StateComparison => {
    const from = [node.id, ...(node.past?.formerly ?? [])].find((id) => left.has(id));
    const was = from === undefined ? undefined : left.get(from);
    if (from === undefined || was === undefined) return [{ change: "begun", step: node.id }];
    left.delete(from);
    return compareStep(node, from, was, dropState);
  });
  const removed = [...left].map(([step, state]): StepComparison => {
    if (dropState.includes(step)) return { change: "dropped", step, kept: state };
    const why = `step "${step}" had state (${state}), and is removed or has none now`;
    return { change: "refused", step, why, droppable: true };
  });
  return [...changes, ...removed];
}

function compareStep(
  { id, state, past }: StatefulNode,
  from: string,
  was: string,
  dropState: readonly string[],
): StateComparison {
  if (was === state) return [{ change: "kept", step: id, from }];
  if (past?.migrationFrom?.(was) !== undefined)
    return [{ change: "migrated", step: id, from, kept: was, now: state }];
  if (dropState.includes(id) || dropState.includes(from)) {
    return [
      { change: "dropped", step: from, kept: was },
      { change: "begun", step: id },
    ];
  }
  const why = differencesOfStep(id, was, state).join("; ");
  return [{ change: "refused", step: id, why, droppable: true }];
}

/** How a step's stored state becomes its own. */
export function migrationOf(flow: Dataflow, step: string, kept: string): StateMigration | undefined {
  return flow.graph.node(step)?.past?.migrationFrom?.(kept);
}

/**
 * @param task for messages
 * @throws StateFormatError for state of a newer Millrace
 * @throws StateMismatchError for state that the flow cannot continue from
 */
export function requireContinuable(
  task: string,
  { commitNumber, format, signature }: Pick<TaskHead, "commitNumber" | "format" | "signature">,
  flow: Dataflow,
  dropState: readonly string[],
): StateComparison {
  if (format > STATE_FORMAT) {
    throw new StateFormatError(
      `task ${task}: its state has format ${format}, and this version of Millrace reads formats up to ${STATE_FORMAT}. Nothing was ` +
        "changed. Run the version that wrote it, or a newer one.",
    );
  }
  // A task that was reset has a position from which it begins anew, and no state.
  if (commitNumber === 0) return [];
  const comparison = compareState(signature, flow, dropState);
  const refused = comparison.filter((each) => each.change === "refused");
  if (refused.length === 0) return comparison;
  throw new StateMismatchError(
    `task ${task}: the stored state was written by a different flow. ${refused.map(({ why }) => why).join("; ")}. Nothing was changed. ` +
      remedyOf(refused),
  );
}

function remedyOf(refused: readonly { readonly step?: string; readonly droppable: boolean }[]): string {
  const steps = refused.flatMap(({ step, droppable }) => (droppable && step !== undefined ? [step] : []));
  const drop =
    steps.length === 0
      ? ""
      : `, give such a step a migrate, name its earlier id (formerly), delete the stored state with --drop-state=${steps.join(",")} (option dropState)`;
  return `Run the flow that wrote it, with the same options (such as --window and --clock)${drop}, or reset the task`;
}

interface StatefulNode extends GraphNode {
  readonly state: string;
}

function statefulSteps(flow: Dataflow): readonly StatefulNode[] {
  return flow.graph.nodes.flatMap((node) =>
    node.state === undefined ? [] : [{ ...node, state: node.state }],
  );
}

function versionOf({ options }: Dataflow): string {
  return String(options.version ?? 1);
}
