import type { StateGroup } from "@millrace/windowing";
import type { Commit, CommitOutcome, TaskState, TaskStore } from "../contracts/store.ts";
import { FencedError, StateError } from "../errors.ts";
import type { PositionKeeper } from "./position-keeper.ts";
import { requireSameSignature } from "./signature.ts";
import type { TaskGraph } from "./task-graph.ts";

/** The store has fewer commits than this task made; the task must load its state again. */
export class RolledBack extends Error {}

/** Makes a task's commits: numbers them, collects the changes, and handles each outcome. */
export class Committer {
  readonly #store: TaskStore;
  readonly #signature: string;
  readonly #name: string;
  readonly #positions: PositionKeeper;
  #number = 0;

  constructor(store: TaskStore, signature: string, name: string, positions: PositionKeeper) {
    this.#store = store;
    this.#signature = signature;
    this.#name = name;
    this.#positions = positions;
  }

  /** @throws StateMismatchError for state of a flow of another shape */
  async load(): Promise<TaskState | undefined> {
    const state = await this.#store.load();
    if (state === undefined) return undefined;
    // The state was checked before the task was acquired, but its former owner may have committed since.
    if (state.commitNumber > 0) requireSameSignature(this.#name, state.signature, this.#signature);
    this.#number = state.commitNumber;
    return state;
  }

  /** Number of the last commit that this task knows; 0: none. */
  get number(): number {
    return this.#number;
  }

  /** Whether the store can report the owner without a commit. */
  get canAskOwner(): boolean {
    return this.#store.newestOwner !== undefined;
  }

  /** @throws FencedError when another owner has the task */
  async askOwner(): Promise<void> {
    const owner = await this.#store.newestOwner?.();
    if (owner !== undefined && owner > this.#store.fence) throw this.#fencedBy(owner);
  }

  /**
   * @throws FencedError when another owner has the task
   * @throws RolledBack
   */
  async commit({ graph, ...content }: CommitContent): Promise<CommitSize> {
    const { position, changes: ofPosition } = this.#positions.next(content.position);
    const changes = [...graph.snapshot(), ...ofPosition];
    const outcome: CommitOutcome = await this.#store.commit({
      number: this.#number + 1,
      signature: this.#signature,
      watermark: watermarkOf(graph),
      ...content,
      position,
      changes,
    });
    switch (outcome.kind) {
      case "applied":
      case "already-applied":
        this.#number += 1;
        this.#positions.committed();
        return { changes: changes.length, bytes: outcome.kind === "applied" ? outcome.bytes : undefined };
      case "fenced":
        throw this.#fencedBy(outcome.owner);
      case "rolled-back":
        throw new RolledBack(
          `task ${this.#name}: the store is at commit ${outcome.stored}, this task at ${this.#number}: it was restored from an older copy`,
        );
    }
  }

  #fencedBy(owner: number): FencedError {
    return new FencedError(
      `task ${this.#name}: owner ${owner} has taken it over from owner ${this.#store.fence}`,
    );
  }
}

/** `null` if no step has windows, or one has no watermark yet. */
function watermarkOf({ watermark }: TaskGraph): number | null {
  return watermark !== undefined && Number.isFinite(watermark) ? watermark : null;
}

/** What a task commits besides the state that its steps provide. */
export interface CommitContent extends Pick<Commit, "position" | "sinks" | "outputs" | "partial" | "counts"> {
  readonly graph: TaskGraph;
}

/** How much a commit had. */
export interface CommitSize {
  /** Groups of state that changed. */
  readonly changes: number;
  /** `undefined`: the store does not report it. */
  readonly bytes: number | undefined;
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
