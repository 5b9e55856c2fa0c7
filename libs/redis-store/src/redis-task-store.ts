import { StateError } from "@millrace/dataflow";
import type { Commit, CommitOutcome, TaskState, TaskStore } from "@millrace/dataflow";
import { planCommit } from "./commit/commit-plan.ts";
import type { CommitPlan } from "./commit/commit-plan.ts";
import { applyJournal, stagePieces, stagedLength } from "./commit/staging.ts";
import type { Staging } from "./commit/staging.ts";
import type { TaskAttempt, TaskConnection } from "./connection/task-connection.ts";
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
  readonly #close: () => Promise<void>;
  #attempts = 0;
  #warned = false;

  constructor(
    fence: number,
    keys: TaskKeys,
    connection: TaskConnection,
    settings: StoreSettings,
    close: () => Promise<void>,
  ) {
    this.fence = fence;
    this.#keys = keys;
    this.#connection = connection;
    this.#settings = settings;
    this.#close = close;
  }

  /** @throws FencedError if a newer owner has acquired the task, StateIncompleteError, RedisError */
  load(): Promise<TaskState | undefined> {
    return loadTask(this.#connection, this.#keys, this.fence, this.#settings.pageFields);
  }

  /**
   * Applies a commit, usually in one script call. A commit that would block Redis for too long is staged in pieces, made by one call, and
   * then applied piece by piece: if this process crashes in between, the next owner applies the rest before it loads.
   *
   * A commit that fails has written nothing, except a large commit that was made: its rest is applied before anything else.
   *
   * @throws CommitTooLargeError, KeyOccupiedError, StateIncompleteError, StoreUnavailableError, RedisError
   */
  async commit(commit: Commit): Promise<CommitOutcome> {
    const { failPoint, time } = this.#settings;
    const plan = await planCommit(this.#keys, commit, this.#settings, () => time.yield());
    this.#warnOfLarge(plan);
    await failPoint("before-commit");
    let staging = this.#stagingOf(commit);
    const outcome = await this.#connection.run("apply a commit", async (attempt) => {
      for (;;) {
        const made = await this.#make(attempt, plan, staging);
        if (made !== undefined) return made;
        // Redis lost what was staged, or still had an earlier commit to apply: try again.
        staging = this.#stagingOf(commit);
      }
    });
    await failPoint("after-commit");
    return outcome;
  }

  /** @throws StoreUnavailableError, RedisError */
  newestOwner(): Promise<number> {
    return this.#connection.run("return a task's owner", async ({ client, answer }) =>
      Number((await answer(client.hget(this.#keys.meta, "fence"))) ?? 0),
    );
  }

  /** Closes the task's connection. Idempotent. */
  close(): Promise<void> {
    return this.#close();
  }

  /** Such a value is still written: without it the state would be incomplete, and the next run would have it again. */
  #warnOfLarge({ largest }: CommitPlan): void {
    if (largest === undefined || this.#warned) return;
    this.#warned = true;
    const { logger, maxValueBytes } = this.#settings;
    const { bytes, place } = largest;
    logger.warn(
      { event: "value-too-large", place, bytes },
      `${place} has a value of ${bytes} bytes, more than maxValueBytes (${maxValueBytes}): Redis serves no other client ` +
        "while it writes it. Keep less in one key's state, or raise maxValueBytes. Other such values are not logged.",
    );
  }

  /** Each attempt has a name of its own, so that its pieces cannot mix with those of an earlier one. */
  #stagingOf({ number }: Commit): Staging {
    this.#attempts += 1;
    return { fence: this.fence, number, name: `${this.fence} ${number} ${this.#attempts}` };
  }

  /** @returns `undefined` if it has to be tried again */
  async #make(attempt: TaskAttempt, plan: CommitPlan, staging: Staging): Promise<CommitOutcome | undefined> {
    const { failPoint } = this.#settings;
    const length = stagedLength(plan.pieces);
    if (length > 0) {
      await stagePieces(attempt, this.#keys, staging, plan.pieces);
      await failPoint("staged");
    }
    const { kind, detail, waiting } = await this.#send(attempt, plan, staging, length);
    if (waiting > 0) {
      await failPoint("made");
      await applyJournal(attempt, this.#keys);
    }
    return kind === "not-staged" || kind === "unfinished" ? undefined : outcomeOf(kind, detail, plan);
  }

  async #send(
    { script }: TaskAttempt,
    { head, pieces }: CommitPlan,
    { fence, number, name }: Staging,
    length: number,
  ): Promise<Reply> {
    const { meta, groups, staged, journal } = this.#keys;
    const operations = length === 0 ? (pieces[0] ?? []) : [];
    const args = [fence, number, ...head, length, name, ...operations];
    const reply = await script(COMMIT, [meta, groups, staged, journal], args);
    const [kind = "", detail, waiting] = Array.isArray(reply) ? reply.map(String) : [];
    return { kind, detail: Number(detail), waiting: Number(waiting) };
  }
}

/** The answer of the script. */
interface Reply {
  readonly kind: string;
  /** The fence or the commit number of the outcome. */
  readonly detail: number;
  /** Elements in the journal. */
  readonly waiting: number;
}

function outcomeOf(kind: string, detail: number, { bytes }: CommitPlan): CommitOutcome {
  switch (kind) {
    case "applied":
      return { kind, bytes };
    case "already-applied":
      return { kind };
    case "fenced":
      return { kind, owner: detail };
    case "rolled-back":
      return { kind, stored: detail };
    default:
      throw new StateError(`Redis answered a commit with ${JSON.stringify(kind)}, which is not an outcome.`);
  }
}
