import { ROOT_CONTEXT, SpanKind, trace } from "@opentelemetry/api";
import type { Attributes, HrTime, Link, SpanContext, Tracer } from "@opentelemetry/api";
import type { ResultsEmitted, RunObserver, Timed } from "@millrace/dataflow";
import type { WindowCause } from "@millrace/windowing";

/** Options of {@link traceRun}. */
export interface TraceOptions {
  /** Makes the spans. @default `@millrace/observe` of the tracer provider that is registered */
  readonly tracer?: Tracer;
  /** Attributes of every span, such as `messaging.system`. @default none */
  readonly attributes?: Attributes;
}

/** The most links of a batch's span, as SDKs keep by default. */
const MOST_LINKS = 128;

/**
 * An observer that makes OpenTelemetry spans of a run; each run needs one of its own.
 *
 * - `millrace.batch`: a batch passed all steps, and the sinks have accepted its rows
 * - `millrace.close`: a page of a window step's closing results left it, at an instant: rows, cause, and the open and close of
 *   their windows
 * - `millrace.publish`: an output's sink accepted rows
 * - `millrace.commit`: the store applied a commit
 *
 * Their times are the measured ones. A span is made when its work is over, so all are roots; the span of a batch has links
 * to the others that began during it. Every span has `millrace.flow` and `millrace.part`. While no SDK is registered, spans
 * are those of the API that do nothing, and no attribute is computed.
 *
 * @example start(flow, { observers: [traceRun()] });
 */
export function traceRun(options: TraceOptions = {}): RunObserver {
  return new RunTracer(options);
}

/** How a span is made. */
interface Work extends Timed {
  readonly name: string;
  readonly kind: SpanKind;
  readonly links?: readonly Link[];
  /** Called only for a span that is recorded. */
  readonly attributes: () => Attributes;
}

interface LinkedWork {
  readonly startedAt: number;
  readonly link: Link;
}

class RunTracer implements RunObserver {
  readonly #tracer: Tracer;
  readonly #attributes: Attributes;
  #flow = "";
  /** By partition: work since its last batch. */
  readonly #since = new Map<string, LinkedWork[]>();

  constructor({ tracer = trace.getTracer("@millrace/observe"), attributes = {} }: TraceOptions) {
    this.#tracer = tracer;
    this.#attributes = attributes;
  }

  readonly started: NonNullable<RunObserver["started"]> = ({ description }) => {
    this.#flow = description.flow;
  };

  readonly batchDone: NonNullable<RunObserver["batchDone"]> = ({ events, ...timed }) => {
    const { part, startedAt } = timed;
    const since = this.#since.get(part) ?? [];
    this.#since.delete(part);
    this.#record({
      ...timed,
      name: "millrace.batch",
      kind: SpanKind.CONSUMER,
      links: since.filter((work) => work.startedAt >= startedAt).map(({ link }) => link),
      attributes: () => ({
        "millrace.events": events,
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.batch.message_count": events,
        "messaging.destination.partition.id": part,
      }),
    });
  };

  readonly resultsEmitted: NonNullable<RunObserver["resultsEmitted"]> = ({ part, step, at, results }) => {
    const cause = closingCause(results);
    if (cause === undefined) return;
    this.#recordDuringBatch({
      name: "millrace.close",
      kind: SpanKind.INTERNAL,
      part,
      startedAt: at,
      durationMs: 0,
      attributes: () => ({ "millrace.step": step, "millrace.cause": cause, ...attributesOfClose(results) }),
    });
  };

  readonly rowsWritten: NonNullable<RunObserver["rowsWritten"]> = ({ step, rows, ...timed }) => {
    this.#recordDuringBatch({
      ...timed,
      name: "millrace.publish",
      kind: SpanKind.PRODUCER,
      attributes: () => ({
        "millrace.step": step,
        "millrace.rows": rows,
        "messaging.operation.name": "publish",
        "messaging.operation.type": "send",
        "messaging.batch.message_count": rows,
      }),
    });
  };

  readonly commitDone: NonNullable<RunObserver["commitDone"]> = ({
    number,
    changes,
    rows,
    bytes,
    partial,
    ...timed
  }) => {
    this.#recordDuringBatch({
      ...timed,
      name: "millrace.commit",
      kind: SpanKind.CLIENT,
      attributes: () => ({
        "millrace.commit.number": number,
        "millrace.commit.partial": partial,
        "millrace.changes": changes,
        "millrace.rows": rows,
        ...(bytes === undefined ? {} : { "millrace.bytes": bytes }),
      }),
    });
  };

  /** Keeps a link for the batch during which the work may have been done. */
  #recordDuringBatch(work: Work): void {
    const context = this.#record(work);
    if (context === undefined) return;
    const { part, startedAt } = work;
    const since = this.#since.get(part) ?? [];
    this.#since.set(part, since);
    since.push({ startedAt, link: { context } });
    if (since.length > MOST_LINKS) since.shift();
  }

  /** @returns `undefined`: the span is not recorded, as without an SDK */
  #record({
    name,
    kind,
    part,
    startedAt,
    durationMs,
    links = [],
    attributes,
  }: Work): SpanContext | undefined {
    const startTime = hrTimeOf(startedAt);
    const span = this.#tracer.startSpan(name, { kind, startTime, links: [...links] }, ROOT_CONTEXT);
    if (!span.isRecording()) return undefined;
    const common = { ...this.#attributes, "millrace.flow": this.#flow, "millrace.part": part };
    span.setAttributes({ ...common, ...attributes() });
    span.end(hrTimeOf(startedAt + durationMs));
    return span.spanContext();
  }
}

const CLOSING: readonly WindowCause[] = ["watermark", "end", "drain"];

type Results = ResultsEmitted["results"];

/** Why windows closed: the first row's cause, since closing results come before others; `undefined`: none closed. */
function closingCause([first]: Results): WindowCause | undefined {
  return first !== undefined && CLOSING.includes(first.cause) ? first.cause : undefined;
}

function attributesOfClose(results: Results): Attributes {
  let rows = 0;
  let open = Number.POSITIVE_INFINITY;
  let close = Number.NEGATIVE_INFINITY;
  for (const { cause, window } of results) {
    if (!CLOSING.includes(cause)) continue;
    rows += 1;
    open = Math.min(open, window.open);
    close = Math.max(close, window.close);
  }
  return { "millrace.rows": rows, "millrace.window.open": open, "millrace.window.close": close };
}

/** A number would count from the start of the process if it is below that, as under a clock that tests set. */
function hrTimeOf(ms: number): HrTime {
  const seconds = Math.floor(ms / 1_000);
  return [seconds, Math.min(Math.round((ms - seconds * 1_000) * 1e6), 999_999_999)];
}
