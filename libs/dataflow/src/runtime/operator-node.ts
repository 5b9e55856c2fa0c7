import type { Batch, Operator } from "../contracts/operator.ts";
import { asStepError, messageOf } from "../errors.ts";
import type { GraphNode } from "../graph.ts";
import type { OperatorContext } from "../contracts/operator.ts";
import { LastFigures } from "./last-figures.ts";
import { named } from "./named.ts";
import type { NameOf } from "./named.ts";
import type { PortEmitter, Receiver } from "./port-emitter.ts";

/** The metrics that a step reports. */
export interface StepFigures {
  readonly figures: Readonly<Record<string, number>>;
  /** Which of the metrics are gauges; the others are counts. */
  readonly gauges: readonly string[];
}

const NO_FIGURES: StepFigures = { figures: {}, gauges: [] };

/** The metrics of a step; reading them never fails. @param read may throw */
export function figuresOf(
  { step, part, logger }: OperatorContext,
  read: () => StepFigures,
): LastFigures<StepFigures> {
  return new LastFigures(NO_FIGURES, read, (error) => {
    logger.warn(
      { event: "figures-unknown", step, part },
      `step "${step}", partition "${part}": its figures cannot be read: ${messageOf(error)}`,
    );
  });
}

/** A step with synchronous work. It makes all calls of its operator, and wraps their errors with the step's name. */
export class OperatorNode implements Receiver {
  readonly node: GraphNode;
  readonly out: PortEmitter;
  readonly #operator: Operator<unknown, unknown>;
  readonly #clock: { readonly now: number };
  readonly #nameOf: NameOf;
  readonly #figures: LastFigures<StepFigures>;
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

  /** Whether the operator has this optional method. */
  has(method: "finish" | "early" | "snapshot"): boolean {
    return this.call((operator) => operator[method] !== undefined);
  }
}
