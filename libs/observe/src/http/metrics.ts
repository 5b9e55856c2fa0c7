import type {
  BatchDone,
  CommitDone,
  RowsWritten,
  RunObserver,
  StepStats,
  TaskStats,
} from "@millrace/dataflow";
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";
import type { FlowMonitor } from "../monitor/flow-monitor.ts";
import { malformedOf } from "../monitor/task-view.ts";
import type { StreamHub } from "./stream-hub.ts";

/** Partitions with series of their own; the others share those of `other`. */
const MAX_PARTS = 1_000;
const OTHER = "other";

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** How the values of partitions that share a series become one. */
const FOLDS = {
  sum: (a: number, b: number) => a + b,
  max: (a: number, b: number) => Math.max(a, b),
  min: (a: number, b: number) => Math.min(a, b),
} as const;
type Fold = keyof typeof FOLDS;

interface Definition<Subject> {
  readonly name: string;
  readonly help: string;
  readonly kind: "counter" | "gauge";
  /** @default sum */
  readonly fold?: Fold;
  /** `undefined`: the subject has none. */
  readonly of: (subject: Subject, now: number) => number | undefined;
}

const OF_TASKS: readonly Definition<TaskStats>[] = [
  counter(
    "events",
    "Events received, with payloads that are no events",
    (task) => task.source.read + task.rejected,
  ),
  counter("duplicates", "Events that were sent twice, and dropped", ({ source }) => source.duplicates),
  counter("lost", "Events that are known to be missing", ({ source }) => source.lost),
  counter("malformed", "Payloads that are no events", malformedOf),
  counter("batches", "Batches that were processed", ({ batches }) => batches),
  counter("commits", "Commits that the store has applied", ({ commits }) => commits),
  counter(
    "reloads",
    "How often a task was reopened after its store was rolled back",
    ({ reloads }) => reloads,
  ),
  counter("discarded", "Events whose commits the store has lost", ({ discarded }) => discarded),
  counter("reconnects", "How often a lost connection came back", ({ source }) => source.reconnects),
  gauge("connected", "1: the source has its connection", "min", ({ source: { connected } }) =>
    connected === undefined ? undefined : Number(connected),
  ),
  gauge("watermark_age_seconds", "System time minus watermark", "max", ({ watermark }, now) =>
    watermark === undefined ? undefined : (now - watermark) / 1_000,
  ),
  gauge("last_event_age_seconds", "Time since the last event was read", "max", ({ lastEventAt }, now) =>
    lastEventAt === undefined ? undefined : (now - lastEventAt) / 1_000,
  ),
  gauge("lag_seconds", "Age of the last message read", "max", ({ lagMs }) =>
    lagMs === undefined ? undefined : lagMs / 1_000,
  ),
  gauge(
    "lag_entries",
    "Entries that Redis still has to deliver",
    "sum",
    ({ source }) => source.entriesBehind,
  ),
  gauge("queued_events", "Events that wait to be read", "sum", ({ source }) => source.queued),
];

const OF_STEPS: readonly Definition<StepStats>[] = [
  counter("step_events", "Events that entered a step", ({ eventsIn }) => eventsIn),
  counter("skipped", "Events that a step gave up, by its error policy", figure("skipped")),
  counter("counted", "Events that entered a window", figure("counted")),
  counter("late", "Events that came after their windows had closed", figure("late")),
  counter("refused", "Events whose time is not plausible", figure("refused")),
  counter("revisions", "Rows that replaced an earlier one", figure("revisions")),
  counter("overflowed", "Events counted under the overflow key", figure("overflowed")),
  counter(
    "rows_out",
    "Rows that have left the process: flushed, and committed if there is a store",
    figure("rowsOut"),
  ),
  gauge("open_windows", "Windows that are held", "sum", figure("windows")),
  gauge("keys", "Keys that are held, once for each window", "sum", figure("cells")),
  gauge("state_bytes", "State in memory, by estimate", "sum", figure("approximateBytes")),
];

/**
 * What `/metrics` serves. Values are read from the figures that the runtime keeps, when they are asked for; only
 * durations of batches and commits are added up as they come.
 */
export class Metrics implements RunObserver {
  readonly #monitor: FlowMonitor;
  readonly #registry = new Registry();
  readonly #hub: StreamHub;
  readonly #now: () => number;
  /** The partitions with series of their own. */
  readonly #parts = new Set<string>();
  readonly #ofTasks = OF_TASKS.map((definition) => ({
    definition,
    metric: this.#metric(definition, ["flow", "part"]),
  }));
  readonly #ofSteps = OF_STEPS.map((definition) => ({
    definition,
    metric: this.#metric(definition, ["flow", "part", "step"]),
  }));
  readonly #batchSeconds = this.#histogram(
    "millrace_batch_duration_seconds",
    "From a batch's arrival until its rows are written",
  );
  readonly #commitSeconds = this.#histogram("millrace_commit_duration_seconds", "Duration of a commit");
  readonly #commitBytes: Counter;
  readonly #rowsWritten: Counter;
  readonly #deadLetters: Counter;
  readonly #ready: Gauge;
  readonly #partReady: Gauge;
  readonly #info: Gauge;
  readonly #streamClients: Gauge;
  readonly #slowClients: Gauge;
  readonly #tooSlow: Counter;

  /** @param now system time, ms */
  constructor(monitor: FlowMonitor, hub: StreamHub, now: () => number) {
    this.#monitor = monitor;
    this.#hub = hub;
    this.#now = now;
    const registers = [this.#registry];
    const common = { labelNames: ["flow"], registers };
    this.#commitBytes = new Counter({
      name: "millrace_commit_bytes_total",
      help: "Bytes that commits have sent to the store",
      labelNames: ["flow", "part"],
      registers,
    });
    this.#rowsWritten = new Counter({
      name: "millrace_rows_written_total",
      help: "Rows that an output's sink has accepted",
      labelNames: ["flow", "part", "step"],
      registers,
    });
    this.#deadLetters = new Counter({ name: "millrace_dead_letters_total", help: "Dead letters", ...common });
    this.#ready = new Gauge({ name: "millrace_ready", help: "1: /readyz answers 200", ...common });
    this.#partReady = new Gauge({
      name: "millrace_part_ready",
      help: "1: the partition is ready; /readyz has the reasons of those that are not",
      labelNames: ["flow", "part"],
      registers,
    });
    this.#info = new Gauge({
      name: "millrace_info",
      help: "1; the version is a label",
      labelNames: ["flow", "version"],
      registers,
    });
    this.#streamClients = new Gauge({
      name: "millrace_stream_clients",
      help: "Clients of /api/stream",
      registers,
    });
    this.#slowClients = new Gauge({
      name: "millrace_stream_slow_clients",
      help: "Clients of /api/stream that do not keep up now",
      registers,
    });
    this.#tooSlow = new Counter({
      name: "millrace_stream_disconnects_total",
      help: "Clients of /api/stream that were disconnected since they did not keep up",
      registers,
    });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  batchDone({ part, durationMs }: BatchDone): void {
    this.#batchSeconds.observe(this.#labels(part), durationMs / 1_000);
  }

  commitDone({ part, durationMs, bytes }: CommitDone): void {
    this.#commitSeconds.observe(this.#labels(part), durationMs / 1_000);
    if (bytes !== undefined) this.#commitBytes.inc(this.#labels(part), bytes);
  }

  rowsWritten({ part, step, rows }: RowsWritten): void {
    this.#rowsWritten.inc({ ...this.#labels(part), step }, rows);
  }

  /** The text format of Prometheus. */
  async text(): Promise<string> {
    this.#read();
    return (await this.#registry.metrics()) + (await processRegistry().metrics());
  }

  #read(): void {
    const { tasks = [] } = this.#monitor.stats() ?? {};
    const { flow, version } = this.#monitor.flow();
    for (const { definition, metric } of this.#ofTasks) {
      const values = new Series(definition.fold);
      for (const task of tasks) values.add(this.#labels(task.part), definition.of(task, this.#now()));
      values.set(metric);
    }
    for (const { definition, metric } of this.#ofSteps) {
      const values = new Series(definition.fold);
      for (const task of tasks) {
        for (const step of task.steps) {
          const labels = { ...this.#labels(task.part), step: step.id };
          values.add(labels, definition.of(step, this.#now()));
        }
      }
      values.set(metric);
    }
    setTo(this.#deadLetters, { flow }, this.#monitor.deadLetterCount);
    const readiness = this.#monitor.readiness();
    setTo(this.#ready, { flow }, Number(readiness.status === "ready"));
    const partReady = new Series("min");
    for (const { part, ready } of readiness.tasks) partReady.add(this.#labels(part), Number(ready));
    partReady.set(this.#partReady);
    setTo(this.#info, { flow, version }, 1);
    setTo(this.#streamClients, {}, this.#hub.clients);
    setTo(this.#slowClients, {}, this.#hub.slowClients);
    setTo(this.#tooSlow, {}, this.#hub.tooSlow);
  }

  #labels(part: string): { readonly flow: string; readonly part: string } {
    const parts = this.#parts;
    if (!parts.has(part) && parts.size < MAX_PARTS) parts.add(part);
    return { flow: this.#monitor.flowName, part: parts.has(part) ? part : OTHER };
  }

  #metric({ name, help, kind }: Definition<never>, labelNames: string[]): Counter | Gauge {
    const options = { name, help, labelNames, registers: [this.#registry] };
    return kind === "counter" ? new Counter(options) : new Gauge(options);
  }

  #histogram(name: string, help: string): Histogram {
    return new Histogram({
      name,
      help,
      labelNames: ["flow", "part"],
      buckets: SECONDS,
      registers: [this.#registry],
    });
  }
}

type Labels = Record<string, string>;

/** The values of one metric by their labels. */
class Series {
  readonly #fold: Fold;
  readonly #values = new Map<string, { readonly labels: Labels; value: number }>();

  constructor(fold: Fold = "sum") {
    this.#fold = fold;
  }

  add(labels: Labels, value: number | undefined): void {
    if (value === undefined || !Number.isFinite(value)) return;
    const key = Object.values(labels).join("\u0000");
    const known = this.#values.get(key);
    if (known === undefined) this.#values.set(key, { labels, value });
    else known.value = FOLDS[this.#fold](known.value, value);
  }

  set(metric: Counter | Gauge): void {
    metric.reset();
    for (const { labels, value } of this.#values.values()) metric.inc(labels, value);
  }
}

function setTo(metric: Counter | Gauge, labels: Labels, value: number): void {
  metric.reset();
  metric.inc(labels, value);
}

function counter<Subject>(name: string, help: string, of: Definition<Subject>["of"]): Definition<Subject> {
  return { name: `millrace_${name}_total`, help, kind: "counter", of };
}

function gauge<Subject>(
  name: string,
  help: string,
  fold: Fold,
  of: Definition<Subject>["of"],
): Definition<Subject> {
  return { name: `millrace_${name}`, help, kind: "gauge", fold, of };
}

function figure(name: string): (step: StepStats) => number | undefined {
  return ({ figures }) => figures[name];
}

let ofProcess: Registry | undefined;

/** CPU, heap, garbage collection and the delay of the event loop: one for the process, since their observers stay. */
function processRegistry(): Registry {
  if (ofProcess === undefined) {
    ofProcess = new Registry();
    collectDefaultMetrics({ register: ofProcess });
  }
  return ofProcess;
}
