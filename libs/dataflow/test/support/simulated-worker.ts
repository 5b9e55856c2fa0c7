import { LeaseAssignment, SILENT_LOGGER, start } from "@millrace/dataflow";
import type {
  FlowStats,
  LeaseTable,
  MemoryStore,
  RunHandle,
  Store,
  TaskId,
  TaskStore,
} from "@millrace/dataflow";
import { VirtualTime } from "@millrace/dataflow/testing";
import type { MemoryLeaseTable, TestingSource } from "@millrace/dataflow/testing";
import { listing } from "./listing-flow.ts";

/** What the workers of one simulation share. */
export interface Shared {
  readonly source: TestingSource<number>;
  readonly store: MemoryStore;
  readonly table: MemoryLeaseTable;
  readonly leaseMs: number;
  /** Called for each commit that the store has taken. */
  readonly committed: (part: string, fence: number) => void;
}

/**
 * A worker with a clock of its own that reaches store and table only while it is awake. A call of a worker that stalls waits
 * before it is sent, and so does its answer.
 */
export class SimulatedWorker {
  readonly #time: VirtualTime;
  /** How fast its clock goes. */
  readonly #rate: number;
  readonly #handle: RunHandle;
  /** Time for which it stalled, by its clock, ms. */
  #missed = 0;
  #gate: { readonly open: () => void; readonly opened: Promise<void> } | undefined;
  #ended = false;
  /** Will not wake again. */
  dead = false;

  constructor(shared: Shared, { startAt, rate }: { readonly startAt: number; readonly rate: number }) {
    this.#time = new VirtualTime(startAt);
    this.#rate = rate;
    const assignment = new LeaseAssignment((context) => this.#reach(shared.table.open(context)), {
      leaseMs: shared.leaseMs,
    });
    const store = this.#store(shared);
    this.#handle = start(listing(shared.source, shared.store), {
      store,
      assignment,
      time: this.#time,
      commitEveryEvents: 3,
      commitEveryMs: 700,
      logger: SILENT_LOGGER,
    });
    const ended = (): void => {
      this.#ended = true;
    };
    this.#handle.done.then(ended, ended);
  }

  get stalled(): boolean {
    return this.#gate !== undefined;
  }

  /** Still takes part. */
  get live(): boolean {
    return !this.dead && !this.#ended;
  }

  stats(): FlowStats {
    return this.#handle.stats();
  }

  /** Parts whose task is open here. */
  get runs(): readonly string[] {
    const { tasks } = this.#handle.stats();
    return tasks.filter(({ phase }) => phase === "waiting" || phase === "running").map(({ part }) => part);
  }

  get done(): Promise<FlowStats> {
    return this.#handle.done;
  }

  leave(): void {
    this.#handle.stop().catch(() => undefined);
  }

  stall(): void {
    if (this.#gate !== undefined) return;
    let open: () => void = () => undefined;
    const opened = new Promise<void>((resolve) => (open = resolve));
    this.#gate = { open, opened };
  }

  wake(): void {
    if (this.dead) return;
    this.#gate?.open();
    this.#gate = undefined;
  }

  /** @param ms of real time */
  pass(ms: number): void {
    this.#missed += ms * this.#rate;
    if (this.stalled) return;
    this.#time.set(this.#time.now() + this.#missed);
    this.#missed = 0;
  }

  async #call<T>(send: () => Promise<T>): Promise<T> {
    await this.#awake();
    const answer = await send();
    await this.#awake();
    return answer;
  }

  async #awake(): Promise<void> {
    while (this.stalled) await this.#gate?.opened;
  }

  #reach(table: LeaseTable): LeaseTable {
    return {
      beat: (heartbeat) => this.#call(() => table.beat(heartbeat)),
      release: (worker, part) => this.#call(() => table.release(worker, part)),
      leave: (worker) => this.#call(() => table.leave(worker)),
      close: () => table.close(),
    };
  }

  #store({ store, committed }: Shared): Store {
    const ownedBy = (task: TaskId, owned: TaskStore): TaskStore => ({
      fence: owned.fence,
      load: () => this.#call(() => owned.load()),
      commit: (commit) =>
        this.#call(async () => {
          const outcome = await owned.commit(commit);
          if (outcome.kind === "applied") committed(task.part, owned.fence);
          return outcome;
        }),
      close: () => owned.close(),
    });
    return {
      wraps: store,
      look: (...of) => this.#call(() => store.look(...of)),
      acquire: (task) => this.#call(async () => ownedBy(task, await store.acquire(task))),
      close: () => store.close(),
    };
  }
}
