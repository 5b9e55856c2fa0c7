import type { StateGroup } from "@millrace/windowing";
import type {
  Commit,
  CommitOutcome,
  Store,
  StoreOutput,
  TaskHead,
  TaskId,
  TaskState,
  TaskStore,
} from "../contracts/store.ts";
import { decideCommit } from "./commit-checks.ts";
import { StateGroups } from "./state-groups.ts";

/** Everything stored for one task. */
class Kept {
  fence = 0;
  commitNumber = 0;
  appliedBy = 0;
  last: Commit | undefined;
  readonly groups = new StateGroups();
  readonly outputs: StoreOutput[] = [];
}

/** A store in this process: for tests, and for flows whose state need not outlive it. */
export class MemoryStore implements Store {
  readonly #tasks = new Map<string, Kept>();

  look(task: TaskId, wanted = (_group: string): boolean => false): Promise<TaskHead | undefined> {
    const { last, groups } = this.#kept(task);
    if (last === undefined) return Promise.resolve(undefined);
    const { number: commitNumber, format, signature, position, sinks, counts } = last;
    const head = copyOf({ commitNumber, format, signature, position, sinks, counts });
    return Promise.resolve({ ...head, groups: groups.copy(wanted).map(copyOfGroup) });
  }

  acquire(task: TaskId): Promise<TaskStore> {
    const kept = this.#kept(task);
    kept.fence += 1;
    return Promise.resolve(new MemoryTaskStore(kept, kept.fence));
  }

  /** The state stays. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Rows that a task's commits made visible, in order. */
  outputs(task: TaskId): readonly StoreOutput[] {
    return this.#kept(task).outputs;
  }

  #kept(task: TaskId): Kept {
    const name = JSON.stringify([task.flow, task.part]);
    const known = this.#tasks.get(name);
    if (known !== undefined) return known;
    const made = new Kept();
    this.#tasks.set(name, made);
    return made;
  }
}

class MemoryTaskStore implements TaskStore {
  readonly fence: number;
  readonly #kept: Kept;

  constructor(kept: Kept, fence: number) {
    this.#kept = kept;
    this.fence = fence;
  }

  load(): Promise<TaskState | undefined> {
    const { last, groups, commitNumber } = this.#kept;
    if (last === undefined) return Promise.resolve(undefined);
    const { format, signature, position, sinks, partial, counts } = last;
    const head = copyOf({ commitNumber, format, signature, position, sinks, partial, counts });
    return Promise.resolve({ ...head, groups: groups.copy().map(copyOfGroup) });
  }

  commit(commit: Commit): Promise<CommitOutcome> {
    const kept = this.#kept;
    const outcome = decideCommit(commit.number, this.fence, kept);
    if (outcome.kind === "applied") {
      const copy = copyOf(commit);
      kept.groups.apply(copy.changes);
      kept.outputs.push(...copy.outputs);
      kept.last = copy;
      kept.commitNumber = commit.number;
      kept.appliedBy = this.fence;
    }
    return Promise.resolve(outcome);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Through JSON, as in every other store: a value that JSON cannot hold must not seem to work here. */
function copyOf<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

/** Each value by itself: a text of all of them may be longer than a string can be. */
function copyOfGroup([group, fields]: StateGroup): StateGroup {
  return [group, Array.from(fields, ([field, value]) => [field, copyOf(value)])];
}
