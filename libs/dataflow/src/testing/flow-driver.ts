import type { Dataflow } from "../dataflow.ts";
import { start } from "../runtime/run.ts";
import type { RunHandle } from "../runtime/run.ts";
import type { RunOptions } from "../runtime/options.ts";
import type { FlowStats, TaskPhase } from "../runtime/stats.ts";
import { VirtualTime } from "./virtual-time.ts";

const QUIET_TURNS = 4;
/** Phases of a task in which only an event or time lets it continue. */
const AT_REST: readonly TaskPhase[] = ["waiting", "reloading", "ended", "failed", "released"];

/** Options of the run; its time is virtual. */
export interface FlowDriverOptions extends Omit<RunOptions, "time" | "signal"> {
  /** System time at the start, ms. @default 0 */
  readonly startAt?: number;
}

/**
 * Runs a flow with a clock that stands still: push events into a `TestingSource`, advance time, and read the rows
 * from a `TestingSink`. The flow runs in the real runtime; only time is virtual. After Kafka Streams'
 * TopologyTestDriver.
 *
 * Start at the time of the first events (`startAt`), or advance to it before they are pushed: windows also close after
 * system time has passed, and an event from far in the future is refused.
 *
 * @example
 * const source = new TestingSource<Click>();
 * const rows = new TestingSink<Row>();
 * const driver = await FlowDriver.start(myFlow(source, rows));
 * source.push([click]);
 * await driver.advanceBy(5_000);
 * expect(rows.take()).toEqual([{ timezone: "Europe/Madrid", num_mobile_users: 1 }]);
 * await driver.stop();
 */
export class FlowDriver {
  readonly time: VirtualTime;
  readonly #handle: RunHandle;
  /** It may have no task for a while. */
  readonly #shared: boolean;
  #over = false;

  private constructor(flow: Dataflow, { startAt = 0, ...options }: FlowDriverOptions) {
    this.time = new VirtualTime(startAt);
    this.#shared = options.assignment?.shared === true;
    this.#handle = start(flow, { ...options, time: this.time });
    const over = (): void => {
      this.#over = true;
    };
    this.#handle.done.then(over, over);
  }

  /** Opens everything and waits until the tasks have nothing left to do. */
  static async start(flow: Dataflow, options: FlowDriverOptions = {}): Promise<FlowDriver> {
    const driver = new FlowDriver(flow, options);
    await driver.settle();
    return driver;
  }

  /** Settles with the run: final figures, or the error that ended it. */
  get done(): Promise<FlowStats> {
    return this.#handle.done;
  }

  /** Waits until every task has done what it can at this instant. */
  async settle(): Promise<void> {
    // A local source needs two turns to prove that it is drained, and the task one more to act on that.
    for (let quiet = 0; quiet < QUIET_TURNS && !this.#over; quiet = this.#busy ? 0 : quiet + 1) {
      await this.time.yield();
    }
  }

  /** Advances time, stopping at every alarm on the way, so that each window closes at its own time. */
  async advanceTo(now: number): Promise<void> {
    await this.settle();
    for (let alarm = this.time.nextAlarm; alarm !== undefined && alarm <= now; alarm = this.time.nextAlarm) {
      this.time.set(Math.max(alarm, this.time.now()));
      await this.settle();
    }
    this.time.set(now);
    await this.settle();
  }

  /** Advances time by this many ms. */
  async advanceBy(ms: number): Promise<void> {
    await this.advanceTo(this.time.now() + ms);
  }

  /** Stops as on SIGTERM. */
  stop(): Promise<FlowStats> {
    return this.#handle.stop();
  }

  /** The present figures. */
  stats(): FlowStats {
    return this.#handle.stats();
  }

  get #busy(): boolean {
    const { tasks } = this.#handle.stats();
    return (tasks.length === 0 && !this.#shared) || tasks.some(({ phase }) => !AT_REST.includes(phase));
  }
}
