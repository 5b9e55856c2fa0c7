import type { Commit, CommitOutcome, TaskState, TaskStore } from "@millrace/dataflow";
import { StateError } from "@millrace/dataflow";
import { applyJournal } from "./commit/apply-journal.ts";
import { planCommit } from "./commit/commit-plan.ts";
import type { CommitPlan } from "./commit/commit-plan.ts";
import { stagePieces } from "./commit/stage-pieces.ts";
import type { TaskConnection } from "./connection/task-connection.ts";
import { loadTask } from "./load-task.ts";
import type { StoreSettings } from "./redis-store-options.ts";
import { COMMIT } from "./scripts/commit.ts";
import type { TaskKeys } from "./task-keys.ts";

/** One owner's view of one task in Redis. */
export class RedisTaskStore implements TaskStore {
  readonly fence: number;
  readonly #keys: TaskKeys;
  readonly #connection: TaskConnection;
  readonly #settings: StoreSettings;

  constructor(fence: number, keys: TaskKeys, connection: TaskConnection, settings: StoreSettings) {
    this.fence = fence;
    this.#keys = keys;
    this.#connection = connection;
    this.#settings = settings;
  }

  /** @throws FencedError when a newer owner took the task, RedisError */
  load(): Promise<TaskState | undefined> {
    return loadTask(this.#connection, this.#keys, this.fence, this.#settings.pageFields);
  }

  /**
   * Applies a commit, in one script call where it is small. A large one is staged in pieces, made by one call, and
   * then applied piece by piece: if this process dies in between, the next owner applies the rest before it loads.
   *
   * @throws CommitTooLargeError, StoreUnavailableError, RedisError
   */
  async commit(commit: Commit): Promise<CommitOutcome> {
    const { failPoint } = this.#settings;
    const plan = planCommit(this.#keys, commit, this.#settings);
    await failPoint("before-commit");
    const outcome = await this.#connection.run("take a commit", async (link) => {
      for (;;) {
        const staged = await stagePieces(link, this.#keys, this.fence, commit.number, plan.pieces);
        if (staged > 0) await failPoint("staged");
        const { kind, detail, waiting } = await this.#make(link, commit.number, plan, staged);
        if (waiting > 0) {
          await failPoint("made");
          await applyJournal(link, this.#keys);
        }
        // A server that lost what was staged, or still had a commit to apply: it can be made now.
        if (kind !== "not-staged" && kind !== "unfinished") return outcomeOf(kind, detail);
      }
    });
    await failPoint("after-commit");
    return outcome;
  }

  /** The state stays, and so do the store's connections. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  async #make(
    { script }: Parameters<Parameters<TaskConnection["run"]>[1]>[0],
    number: number,
    { head, pieces }: CommitPlan,
    staged: number,
  ): Promise<{ readonly kind: string; readonly detail: number; readonly waiting: number }> {
    const { meta, staged: stagedKey, journal } = this.#keys;
    const commands = staged === 0 ? pieces[0] ?? [] : [];
    const reply = await script(
      COMMIT,
      [meta, stagedKey, journal],
      [this.fence, number, ...head, staged, ...commands],
    );
    const [kind, detail, waiting] = Array.isArray(reply) ? reply.map(String) : [];
    return { kind: kind ?? "", detail: Number(detail), waiting: Number(waiting) };
  }
}

function outcomeOf(kind: string, detail: number): CommitOutcome {
  switch (kind) {
    case "applied":
    case "already-applied":
      return { kind };
    case "fenced":
      return { kind, owner: detail };
    case "rolled-back":
      return { kind, stored: detail };
    default:
      throw new StateError(`Redis answered a commit with ${JSON.stringify(kind)}, which is no outcome.`);
  }
}
