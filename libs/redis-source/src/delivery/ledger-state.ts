import type { Json } from "@millrace/dataflow";
import { RedisPositionError } from "../errors.ts";
import type { Loss } from "./loss-list.ts";

/** What is known of one producer. Times are ms since the epoch, `-Infinity`: always. */
export interface ProducerState {
  /** The number of its next event. */
  next: number;
  /** Publish time of the first frame heard; what it sent before is not known. `-Infinity`: it was heard from number 0. */
  readonly heardFrom: number;
  /** Latest publish time heard. */
  heardUpTo: number;
  /** When it was last heard, by the consumer's clock. */
  heardAt: number;
}

/** A ledger's memory. */
export interface LedgerState {
  readonly producers: readonly (readonly [id: string, state: ProducerState])[];
  readonly losses: readonly Loss[];
  readonly bareAt: number;
  readonly interruptedAt: number;
  readonly forgottenUntil: number;
}

/**
 * Reads what `ProducerLedger.snapshot` wrote; `undefined` is a ledger that has seen nothing.
 *
 * @throws RedisPositionError
 */
export function readLedgerState(state: Json | undefined): LedgerState {
  const never = Number.NEGATIVE_INFINITY;
  if (state === undefined) {
    return { producers: [], losses: [], bareAt: never, interruptedAt: never, forgottenUntil: never };
  }
  if (typeof state !== "object" || state === null || isList(state)) throw strange("no object");
  return {
    producers: list(state["producers"]).map(readProducer),
    losses: list(state["losses"]).map(readLoss),
    bareAt: time(state["bareAt"]),
    interruptedAt: time(state["interruptedAt"]),
    forgottenUntil: time(state["forgottenUntil"]),
  };
}

function readProducer(entry: Json): readonly [id: string, state: ProducerState] {
  const [id, next, heardFrom, heardUpTo, heardAt] = list(entry);
  if (typeof id !== "string") throw strange("a producer without a name");
  return [
    id,
    {
      next: number(next),
      heardFrom: time(heardFrom),
      heardUpTo: number(heardUpTo),
      heardAt: number(heardAt),
    },
  ];
}

function readLoss(entry: Json): Loss {
  const [producer, claimed, first, count, from, to] = list(entry);
  return {
    producer: typeof producer === "string" ? producer : undefined,
    claimed: claimed === true,
    first: number(first),
    count: number(count),
    from: number(from),
    to: number(to),
  };
}

function list(value: Json | undefined): readonly Json[] {
  if (value === undefined || !isList(value)) throw strange("no list where one should be");
  return value;
}

// Array.isArray does not narrow to a readonly array.
function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function number(value: Json | undefined): number {
  if (typeof value !== "number") throw strange("no number where one should be");
  return value;
}

/** JSON has no -Infinity. */
function time(value: Json | undefined): number {
  return value === null ? Number.NEGATIVE_INFINITY : number(value);
}

function strange(what: string): RedisPositionError {
  return new RedisPositionError(
    `The stored position has ${what}, so this source did not write it. Reset the task's state, or give the flow another id.`,
  );
}
