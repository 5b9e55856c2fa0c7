import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type {
  Commit,
  CommitOutcome,
  Store,
  TaskHead,
  TaskId,
  TaskState,
  TaskStore,
} from "../contracts/store.ts";
import { StateError } from "../errors.ts";
import { decideCommit, requireRoom } from "./commit-checks.ts";
import { StateGroups } from "./state-groups.ts";
import { TaskFolder } from "./task-folder.ts";
import type { KeptCommit } from "./task-folder.ts";

/**
 * A store in a directory of a local file system, so that flows over files recover without Redis.
 *
 * Each commit is a file of its own that can be created only once. This makes commits atomic, and their numbers a
 * sequence without forks. From time to time they are merged into one snapshot.
 */
export class FileStore implements Store {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async look(task: TaskId, wanted = (_group: string): boolean => false): Promise<TaskHead | undefined> {
    const { last, groups } = await replay(this.#folder(task));
    if (last === undefined) return undefined;
    const { number: commitNumber, format = 1, signature, position, sinks, counts = null } = last.commit;
    return { commitNumber, format, signature, position, sinks, counts, groups: groups.copy(wanted) };
  }

  async acquire(task: TaskId): Promise<TaskStore> {
    const folder = this.#folder(task);
    await mkdir(folder.path, { recursive: true });
    return new FileTaskStore(folder, await folder.takeFence());
  }

  /** Nothing is held open between commits. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  #folder({ flow, part }: TaskId): TaskFolder {
    return new TaskFolder(join(this.#directory, encodeURIComponent(flow), encodeURIComponent(part)));
  }
}

/** Commits are merged once they are as large as the last snapshot, but not before they have this many bytes. */
const FOLD_FROM_BYTES = 1_048_576;

class FileTaskStore implements TaskStore {
  readonly fence: number;
  readonly #folder: TaskFolder;
  #last: { readonly commitNumber: number; readonly appliedBy: number } | undefined;
  #unfolded = 0;
  #snapshotBytes = 0;

  constructor(folder: TaskFolder, fence: number) {
    this.#folder = folder;
    this.fence = fence;
  }

  async load(): Promise<TaskState | undefined> {
    const { last, groups, snapshotBytes, commitBytes } = await replay(this.#folder);
    this.#last = { commitNumber: last?.commit.number ?? 0, appliedBy: last?.fence ?? 0 };
    this.#snapshotBytes = snapshotBytes;
    this.#unfolded = commitBytes;
    if (last === undefined) return undefined;
    const {
      number: commitNumber,
      format = 1,
      signature,
      position,
      sinks,
      partial,
      counts = null,
    } = last.commit;
    return { commitNumber, format, signature, position, sinks, partial, counts, groups: groups.copy() };
  }

  async commit(commit: Commit): Promise<CommitOutcome> {
    if (this.#last === undefined) await this.load();
    const last = this.#last ?? { commitNumber: 0, appliedBy: 0 };
    const outcome = decideCommit(commit.number, this.fence, {
      ...last,
      fence: await this.#folder.newestFence(),
    });
    if (outcome.kind !== "applied") return outcome;
    const bytes = await this.#folder.createCommit({ fence: this.fence, commit });
    if (bytes === undefined) {
      // An older owner committed between the two checks. Its commit is valid; this task continues from there.
      await this.load();
      return { kind: "rolled-back", stored: commit.number };
    }
    this.#last = { commitNumber: commit.number, appliedBy: this.fence };
    this.#unfolded += bytes;
    if (this.#unfolded > Math.max(this.#snapshotBytes, FOLD_FROM_BYTES)) await this.#fold();
    return { kind: "applied", bytes };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #fold(): Promise<void> {
    const { last, groups } = await replay(this.#folder);
    if (last === undefined) return;
    const changes = groups.copy().map(([group, fields]) => ({ group, put: [...fields] }));
    const kept = { ...last, commit: { ...last.commit, changes } };
    this.#snapshotBytes = await this.#folder.writeSnapshot(kept, groups.fields);
    this.#unfolded = 0;
  }
}

/** Adds up the snapshot and the commits after it. @throws StateTooLargeError, StateError */
async function replay(folder: TaskFolder): Promise<Replayed> {
  // The commits after a snapshot are no larger than it, or small. Its own size is known before it is read.
  requireRoom(folder.path, await folder.snapshotFields());
  const { snapshot, commits } = await folder.read();
  const groups = new StateGroups();
  let last: KeptCommit | undefined;
  for (const { kept } of snapshot === undefined ? commits : [snapshot, ...commits]) {
    if (last !== undefined && kept.commit.number !== last.commit.number + 1) {
      throw new StateError(
        `${folder.path}: commit ${last.commit.number + 1} is missing; restore the directory from a copy, or reset the state by deleting it`,
      );
    }
    groups.apply(kept.commit.changes);
    requireRoom(folder.path, groups.fields);
    last = kept;
  }
  const commitBytes = commits.reduce((sum, { bytes }) => sum + bytes, 0);
  return { last, groups, snapshotBytes: snapshot?.bytes ?? 0, commitBytes };
}

interface Replayed {
  readonly last: KeptCommit | undefined;
  readonly groups: StateGroups;
  readonly snapshotBytes: number;
  readonly commitBytes: number;
}
