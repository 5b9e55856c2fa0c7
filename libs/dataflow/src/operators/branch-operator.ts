import type { Batch, Emitter, Operator } from "../contracts/operator.ts";
import type { ErrorPolicy } from "./error-policy.ts";
import { mapPass } from "./passes.ts";
import type { Keyed } from "./passes.ts";
import { StatelessOperator } from "./stateless.ts";
import type { StepContext } from "./step-context.ts";

/** Sends each row to one of two ports: `down` if the predicate holds, else the side port. */
export class BranchOperator<T> implements Operator<T, T> {
  readonly #test: StatelessOperator<T, { readonly event: T; readonly holds: boolean }>;
  readonly #otherwise: Emitter<T>;

  constructor(
    context: StepContext,
    predicate: Keyed<T, boolean>,
    otherwise: Emitter<T>,
    policy?: ErrorPolicy,
  ) {
    this.#test = new StatelessOperator(
      context,
      "one-to-one",
      mapPass((event, key) => ({ event, holds: predicate(event, key) })),
      policy,
    );
    this.#otherwise = otherwise;
  }

  stats(): Readonly<Record<string, number>> {
    return this.#test.stats();
  }

  process(batch: Batch<T>, now: number, out: Emitter<T>): void {
    this.#test.process(batch, now, {
      emit: (tested) => {
        emitWhere(tested, true, out);
        emitWhere(tested, false, this.#otherwise);
      },
    });
  }
}

function emitWhere<T>(
  tested: Batch<{ readonly event: T; readonly holds: boolean }>,
  wanted: boolean,
  out: Emitter<T>,
): void {
  const holds = (_: unknown, row: number): boolean => tested.events[row]?.holds === wanted;
  const events = tested.events.filter(holds).map(({ event }) => event);
  if (events.length > 0)
    out.emit({ events, keys: tested.keys?.filter(holds), times: tested.times?.filter(holds) });
}
