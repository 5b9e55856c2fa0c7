import type { StateGroup } from "@millrace/windowing";
import type { Commit, CommitOutcome, TaskState, TaskStore } from "../contracts/store.ts";
import type { Dataflow } from "../dataflow.ts";
import type { TimeProvider } from "../contracts/time-provider.ts";
import { FencedError } from "../errors.ts";
import { formatOf, requireContinuable, signatureOf } from "./compare-state.ts";
import type { PositionKeeper } from "./position-keeper.ts";
import { transferState } from "./state-transfer.ts";
import { beginningsOf } from "./step-beginnings.ts";
import type { StateTransfer } from "./state-transfer.ts";
import type { TaskGraph } from "./task-graph.ts";

/** The store has fewer commits than this task made; the task must load its state again. */
export class RolledBack extends Error {}

/** The state that a task continues from. */
export interface LoadedState extends Omit<TaskState, "groups"> {
  /** Groups as the flow's steps have them now. */
  readonly groups: readonly StateGroup[];
}

/** Makes a task's commits: numbers them, collects the changes, and handles each outcome. */
export class Committer {
  readonly #store: TaskStore;
  readonly #flow: Dataflow;
  readonly #part: string;
  readonly #dropState: readonly string[];
  readonly #signature: string;
  readonly #name: string;
  readonly #positions: PositionKeeper;
  #number = 0;
  #format: number;
  /** What the next commit has to change for the flow to continue from what was stored. */
  #transfer: StateTransfer | undefined;

  /** @param part name of the task's partition, for messages */
  constructor(
    store: TaskStore,
    flow: Dataflow,
    part: string,
    dropState: readonly string[],
    positions: PositionKeeper,
  ) {
    this.#store = store;
    this.#flow = flow;
    this.#part = part;
    this.#dropState = dropState;
    this.#signature = signatureOf(flow);
    this.#format = formatOf(flow, []);
    this.#name = `${flow.id}/${part}`;
    this.#positions = positions;
  }

  /**
   * @param time of the run, for the steps that begin now
   * @throws StateMismatchError, StateFormatError for state that the flow cannot continue from, SourceError
   */
  async load(time: Pick<TimeProvider, "now">): Promise<LoadedState | undefined> {
    const state = await this.#store.load();
    if (state === undefined) return undefined;
    // The state was checked before the task was acquired, but its former owner may have committed since.
    const comparison = requireContinuable(this.#name, state, this.#flow, this.#dropState);
    const beginnings = beginningsOf(this.#flow, comparison, {
      part: this.#part,
      position: state.position,
      now: time.now(),
    });
    const { groups, transfer } = transferState(this.#flow, comparison, state.groups, beginnings);
    this.#number = state.commitNumber;
    this.#format = formatOf(this.#flow, groups);
    this.#transfer = transfer;
    return { ...state, groups };
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
    const ofSteps = [...graph.snapshot(), ...ofPosition];
    const changes = this.#transfer?.join(ofSteps) ?? ofSteps;
    const outcome: CommitOutcome = await this.#store.commit({
      number: this.#number + 1,
      format: this.#format,
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
        this.#transfer = undefined;
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
