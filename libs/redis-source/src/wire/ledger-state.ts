import type { DividedPosition, Json } from "@millrace/dataflow";
import { RedisPositionError } from "../errors.ts";
import type { Loss, MissingRange } from "./loss.ts";

/** What is known about one producer. Times are ms since the epoch; `-Infinity`: always. */
export interface ProducerState {
  /** The number of its next event. */
  next: number;
  /** Publish time of the first frame received; what was sent before is not known. `-Infinity`: received from number 0. */
  heardFrom: number;
  /** Latest publish time received. */
  heardUpTo: number;
  /** When it was last heard, by the consumer's clock. */
  heardAt: number;
  /** Whether it announced its end. */
  ended: boolean;
  /** Whether messages may have been missed since it was last heard. Not kept: a reader that resumes knows of the gap. */
  unheard: boolean;
}

/** The state of a ledger. */
export interface LedgerState {
  readonly producers: readonly (readonly [id: string, state: ProducerState])[];
  readonly missing: readonly (readonly [producer: string, range: MissingRange])[];
  /** Losses of producers that were forgotten. */
  readonly forgotten: readonly Loss[];
  readonly bareAt: number;
  readonly interruptedAt: number;
  readonly forgottenUntil: number;
}

/**
 * Reads what `ProducerLedger.snapshot` wrote; `undefined` is an empty ledger.
 *
 * @throws RedisPositionError
 */
export function readLedgerState(state: Json | undefined): LedgerState {
  const never = Number.NEGATIVE_INFINITY;
  if (state === undefined) {
    return {
      producers: [],
      missing: [],
      forgotten: [],
      bareAt: never,
      interruptedAt: never,
      forgottenUntil: never,
    };
  }
  if (typeof state !== "object" || state === null || isList(state)) throw strange("no object");
  // Of a divided position only the head may be given.
  const losses = list(state["losses"] ?? []).map(list);
  return {
    producers: list(state["producers"] ?? []).map(readProducer),
    missing: losses.flatMap((entry) =>
      typeof entry[0] === "string" ? [[entry[0], readRange(entry)] as const] : [],
    ),
    forgotten: losses.flatMap((entry) => (typeof entry[0] === "string" ? [] : [readRange(entry)])),
    bareAt: time(state["bareAt"]),
    interruptedAt: time(state["interruptedAt"]),
    forgottenUntil: time(state["forgottenUntil"]),
  };
}

/** Names of fields; the prefix keeps producers' names apart from the rest. */
const PRODUCER_FIELD = "p";
const LOSSES_FIELD = "losses";

/** Divides a ledger's snapshot: the times are the head; each producer, and the losses, are a field. */
export function divideLedger(state: Json): DividedPosition {
  if (typeof state !== "object" || state === null || isList(state)) return { head: state, fields: new Map() };
  const { producers, losses, ...head } = state;
  const fields = new Map<string, Json>();
  for (const entry of list(producers)) {
    const [id = null, ...rest] = list(entry);
    if (typeof id === "string") fields.set(`${PRODUCER_FIELD}:${id}`, rest);
  }
  if (list(losses).length > 0) fields.set(LOSSES_FIELD, list(losses));
  return { head, fields };
}

/** Undoes {@link divideLedger}. */
export function uniteLedger({ head, fields }: DividedPosition): Json {
  if (typeof head !== "object" || head === null || isList(head)) return head;
  const producers = [...fields].flatMap(([field, value]) =>
    field.startsWith(`${PRODUCER_FIELD}:`) ? [[field.slice(PRODUCER_FIELD.length + 1), ...list(value)]] : [],
  );
  return { ...head, producers, losses: fields.get(LOSSES_FIELD) ?? [] };
}

/** A producer as JSON. */
export function writeProducer(
  id: string,
  { next, heardFrom, heardUpTo, heardAt, ended }: ProducerState,
): Json {
  const entry = [id, next, finite(heardFrom), heardUpTo, heardAt];
  return ended ? [...entry, 1] : entry;
}

/** `null` for -Infinity, which JSON does not have. */
export function finite(time: number): number | null {
  return Number.isFinite(time) ? time : null;
}

function readProducer(entry: Json): readonly [id: string, state: ProducerState] {
  const [id, next, heardFrom, heardUpTo, heardAt, ended] = list(entry);
  if (typeof id !== "string") throw strange("a producer without a name");
  return [
    id,
    {
      next: number(next),
      heardFrom: time(heardFrom),
      heardUpTo: number(heardUpTo),
      heardAt: number(heardAt),
      ended: ended === 1,
      unheard: false,
    },
  ];
}

/** Reads an entry of `MissingNumbers.snapshot`. */
function readRange([, claimed, first, count, from, to, least, most]: readonly Json[]): MissingRange {
  const size = number(count);
  const lost = claimed === true ? size : 0;
  return {
    first: number(first),
    end: number(first) + size,
    exact: least === undefined,
    claimed: claimed === true,
    least: least === undefined ? lost : number(least),
    most: most === undefined ? lost : number(most),
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

function time(value: Json | undefined): number {
  return value === null ? Number.NEGATIVE_INFINITY : number(value);
}

function strange(what: string): RedisPositionError {
  return new RedisPositionError(
    `The stored position has ${what}, so this source did not write it. Reset the task's state, or give the flow another id.`,
  );
}
