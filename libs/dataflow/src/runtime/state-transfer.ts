import type { StateChange, StateGroup } from "@millrace/windowing";
import type { Dataflow } from "../dataflow.ts";
import { StateError } from "../errors.ts";
import { StateGroups } from "../stores/state-groups.ts";
import { inputOf } from "./check-start.ts";
import { migrationOf } from "./compare-state.ts";
import type { StateComparison } from "./compare-state.ts";
import { groupOfPosition } from "./position-keeper.ts";

/** Stored state as the flow's steps continue from it. */
export interface TransferredState {
  /** Groups as the steps have them now, each after its step's id. */
  readonly groups: readonly StateGroup[];
  /** What the first commit has to change in the store; `undefined`: nothing. */
  readonly transfer: StateTransfer | undefined;
}

/**
 * Moves stored state to where the flow's steps keep it now: the groups of steps that were renamed, migrated or begun are written
 * anew with the first commit, and those of steps that were dropped are deleted. Until then the store keeps what it had.
 */
export class StateTransfer {
  /** Stored groups that the first commit deletes, or writes anew. */
  readonly #stale: readonly string[];
  /** Ids of the steps that it writes anew. */
  readonly #steps: ReadonlySet<string>;
  /** Their groups. */
  readonly #anew = new StateGroups();

  constructor(stale: readonly string[], steps: ReadonlySet<string>, anew: readonly StateGroup[]) {
    this.#stale = stale;
    this.#steps = steps;
    this.#anew.apply(anew.map(([group, fields]) => ({ group, put: [...fields] })));
  }

  /** The changes of the first commit. @param changes of the steps since the state was loaded */
  join(changes: readonly StateChange[]): readonly StateChange[] {
    const isAnew = ({ group }: StateChange): boolean => this.#steps.has(stepOf(group));
    this.#anew.apply(changes.filter(isAnew));
    const anew = this.#anew.copy();
    const names = new Set(anew.map(([group]) => group));
    return [
      ...this.#stale
        .filter((group) => !names.has(group))
        .map((group): StateChange => ({ group, drop: true })),
      ...anew.map(([group, fields]): StateChange => ({ group, drop: true, put: [...fields] })),
      ...changes.filter((change) => !isAnew(change)),
    ];
  }
}

/**
 * @param comparison of the stored signature with the flow
 * @param beginnings of the steps that begin empty
 * @throws StateError for a group that names no step, StepError of a `migrate` that throws
 */
export function transferState(
  flow: Dataflow,
  comparison: StateComparison,
  stored: Iterable<StateGroup>,
  beginnings: readonly StateGroup[],
): TransferredState {
  const byStep = groupsByStep(stored);
  const groups: StateGroup[] = [];
  const stale: string[] = [];
  const steps = new Set<string>();
  const anew: StateGroup[] = [];
  const rewrite = (from: string, to: string, migrated: readonly StateGroup[]): void => {
    const named = namedAfter(to, migrated);
    groups.push(...named);
    stale.push(...namedAfter(from, byStep.get(from) ?? []).map(([name]) => name));
    steps.add(to);
    anew.push(...named);
  };
  for (const each of comparison) {
    if (each.change === "kept" && each.from === each.step)
      groups.push(...namedAfter(each.step, byStep.get(each.step) ?? []));
    else if (each.change === "kept") rewrite(each.from, each.step, byStep.get(each.from) ?? []);
    else if (each.change === "migrated") {
      const migrate = migrationOf(flow, each.step, each.kept);
      const before = byStep.get(each.from) ?? [];
      rewrite(each.from, each.step, migrate === undefined ? before : migrate(before));
    } else if (each.change === "dropped")
      stale.push(...namedAfter(each.step, byStep.get(each.step) ?? []).map(([name]) => name));
  }
  for (const beginning of beginnings) {
    groups.push(beginning);
    steps.add(stepOf(beginning[0]));
    anew.push(beginning);
  }
  const own = inputOf(flow).id;
  const input = formerInput(own, comparison, byStep);
  if (input === own) groups.push(...namedAfter(own, byStep.get(own) ?? []));
  else if (input !== undefined) rewrite(input, own, byStep.get(input) ?? []);
  return {
    groups,
    transfer: stale.length + anew.length === 0 ? undefined : new StateTransfer(stale, steps, anew),
  };
}

/** The id that the input had when the fields of its position were stored: it is the only step without state that has a group. */
function formerInput(
  own: string,
  comparison: StateComparison,
  byStep: ReadonlyMap<string, readonly StateGroup[]>,
): string | undefined {
  const stateful = new Set(
    comparison.flatMap((each) =>
      each.change === "kept" || each.change === "migrated"
        ? [each.from]
        : each.change === "dropped"
          ? [each.step]
          : [],
    ),
  );
  const inputs = [...byStep.keys()].filter(
    (step) =>
      !stateful.has(step) && byStep.get(step)?.some(([name]) => `${step}/${name}` === groupOfPosition(step)),
  );
  return inputs.includes(own) ? own : inputs[0];
}

function namedAfter(step: string, groups: readonly StateGroup[]): readonly StateGroup[] {
  return groups.map(([name, fields]) => [`${step}/${name}`, fields]);
}

function stepOf(group: string): string {
  return group.slice(0, Math.max(group.indexOf("/"), 0));
}

/** Groups stored state by step. @throws StateError */
export function groupsByStep(groups: Iterable<StateGroup>): ReadonlyMap<string, readonly StateGroup[]> {
  const steps = new Map<string, StateGroup[]>();
  for (const [name, fields] of groups) {
    const slash = name.indexOf("/");
    if (slash < 0)
      throw new StateError(`the stored state has a group ${JSON.stringify(name)} that names no step`);
    const step = name.slice(0, slash);
    const ofStep = steps.get(step) ?? [];
    ofStep.push([name.slice(slash + 1), fields]);
    steps.set(step, ofStep);
  }
  return steps;
}
