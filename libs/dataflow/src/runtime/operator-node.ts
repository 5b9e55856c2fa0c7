import type { Batch, Emitter, Operator, OperatorContext } from "../contracts/operator.ts";
import { asStepError, messageOf } from "../errors.ts";
import type { GraphNode } from "../graph.ts";
import { named } from "./name-errors.ts";
import type { NameOf } from "./name-errors.ts";
import type { OpenWindow } from "./stats.ts";

/** The metrics that a step reports. */
export interface StepFigures {
  readonly figures: Readonly<Record<string, number>>;
  /** Which of the metrics are gauges; the others are counts. */
  readonly gauges: readonly string[];
}

const NO_FIGURES: StepFigures = { figures: {}, gauges: [] };

/** The metrics of a step; reading them never fails. @param read may throw */
export function figuresOf(context: OperatorContext, read: () => StepFigures): LastFigures<StepFigures> {
  return new LastFigures(NO_FIGURES, read, unreadable("counts", context));
}

/** Logs that something of a step cannot be read. */
function unreadable(
  what: "counts" | "open windows",
  { step, part, logger }: OperatorContext,
): (error: unknown) => void {
  return (error) => {
    logger.warn(
      { event: "figures-unknown", step, part },
      `step "${step}", partition "${part}": its ${what} cannot be read: ${messageOf(error)}`,
    );
  };
}

/** A step with synchronous work. It makes all calls of its operator, and wraps their errors with the step's name. */
export class OperatorNode implements Receiver {
  readonly node: GraphNode;
  readonly out: PortEmitter;
  readonly #operator: Operator<unknown, unknown>;
  readonly #clock: { readonly now: number };
  readonly #nameOf: NameOf;
  readonly #figures: LastFigures<StepFigures>;
  readonly #openWindows: LastFigures<readonly OpenWindow[], [limit: number]>;
  eventsIn = 0;

  /** @param build creates the operator */
  constructor(
    node: GraphNode,
    build: () => Operator<unknown, unknown>,
    out: PortEmitter,
    clock: { readonly now: number },
    context: OperatorContext,
  ) {
    this.node = node;
    this.out = out;
    this.#clock = clock;
    this.#nameOf = (error) => asStepError(error, node.id, context.part);
    const operator = named(build, this.#nameOf);
    this.#operator = operator;
    this.#figures = figuresOf(context, () => ({
      figures: operator.stats?.() ?? {},
      gauges: operator.gauges ?? [],
    }));
    const { step, part } = context;
    this.#openWindows = new LastFigures<readonly OpenWindow[], [limit: number]>(
      [],
      (limit) => operator.openWindows?.(limit).map((window) => ({ part, step, ...window })) ?? [],
      unreadable("open windows", context),
    );
  }

  receive(batch: Batch<unknown>): void {
    this.eventsIn += batch.events.length;
    this.call((operator, out) => {
      operator.process(batch, this.#clock.now, out);
    });
  }

  /** @throws StepError, or an error that has a code of its own */
  call<T>(use: (operator: Operator<unknown, unknown>, out: PortEmitter) => T): T {
    return named(() => use(this.#operator, this.out), this.#nameOf);
  }

  /** Whether a close has more pages. */
  get pending(): boolean {
    return this.call(({ pending }) => pending === true);
  }

  /** Never throws. */
  get figures(): StepFigures {
    return this.#figures.now();
  }

  /** Never throws. @param limit those that close last */
  openWindows(limit: number): readonly OpenWindow[] {
    return this.#openWindows.now(limit);
  }

  /** Whether the operator has this optional method. */
  has(method: "finish" | "early" | "snapshot"): boolean {
    return this.call((operator) => operator[method] !== undefined);
  }
}

/** The receiver of a port's batches. */
export interface Receiver {
  receive(batch: Batch<unknown>): void;
}

/** One output of a live step: passes each batch to every step after it, in the order of the graph. */
export class PortEmitter implements Emitter<unknown> {
  readonly #receivers: Receiver[] = [];
  /** Events emitted so far. */
  events = 0;

  connect(receiver: Receiver): void {
    this.#receivers.push(receiver);
  }

  emit(batch: Batch<unknown>): void {
    this.events += batch.events.length;
    for (const receiver of this.#receivers) receiver.receive(batch);
  }
}

/**
 * Metrics that a step or a source reports. They may be read at any time, also after the run, and are only displayed: if
 * reading fails, the last values are returned and the error is reported once.
 */
export class LastFigures<F, Arguments extends readonly unknown[] = []> {
  readonly #read: (...given: Arguments) => F;
  readonly #failed: (error: unknown) => void;
  #last: F;
  #reported = false;

  constructor(none: F, read: (...given: Arguments) => F, failed: (error: unknown) => void) {
    this.#last = none;
    this.#read = read;
    this.#failed = failed;
  }

  /** Never throws. */
  now(...given: Arguments): F {
    try {
      this.#last = this.#read(...given);
    } catch (error) {
      if (!this.#reported) this.#failed(error);
      this.#reported = true;
    }
    return this.#last;
  }
}
