import type { Clock, EventClock, LateEvent, WindowOverflow } from "@millrace/windowing";
import type { StepContext } from "./step-context.ts";

/** Warns once when a window step has no room for further keys, and once when its folds have no room for further values. */
export class OverflowWatch {
  readonly #context: StepContext;
  /** Thresholds of the warnings; infinite after the warning. */
  #events = 0;
  #values = 0;

  constructor(context: StepContext) {
    this.#context = context;
  }

  /** Counts from earlier runs cause no warning in this run. */
  begin({ overflowed, overflowedValues }: WindowOverflow): void {
    this.#events = overflowed;
    this.#values = overflowedValues;
  }

  look({ overflowed, overflowedValues }: WindowOverflow): void {
    const { step, part, logger } = this.#context;
    const where = `step "${step}", partition "${part}"`;
    if (overflowed > this.#events) {
      const events = overflowed - this.#events;
      this.#events = Number.POSITIVE_INFINITY;
      logger.warn(
        { event: "keys-overflow", step, part, events },
        `${where}: there is no room for more keys. Their events count under the overflow key, ${events} until now; the report ` +
          "has the final number. For more keys raise maxKeys or maxKeysPerWindow, and the heap limit " +
          "(--max-old-space-size).",
      );
    }
    if (overflowedValues > this.#values) {
      const values = overflowedValues - this.#values;
      this.#values = Number.POSITIVE_INFINITY;
      logger.warn(
        { event: "values-overflow", step, part, values },
        `${where}: a fold has no room for more values, or they are too large. Rows count them as overflow, ${values} until ` +
          "now; the report has the final number. For more values raise the bounds of the fold, or " +
          "maxStateBytes and the heap limit (--max-old-space-size).",
      );
    }
  }
}

/** Minimum time (ms) between two logs of refused events by one step. */
const QUIET_MS = 60_000;

/** Logs refused events with their number, at most once a minute. */
export class Refusals {
  readonly #context: StepContext;
  #count = 0;
  #loggedAt = Number.NEGATIVE_INFINITY;

  constructor(context: StepContext) {
    this.#context = context;
  }

  /** @param refused how many of a batch were refused; @param example details of one of them */
  add(refused: number, example: object): void {
    this.#count += refused;
    const { step, part, logger, time } = this.#context;
    const now = time.monotonic();
    if (this.#count === 0 || now < this.#loggedAt + QUIET_MS) return;
    const fields = { event: "events-refused", step, part, count: this.#count, ...example };
    logger.warn(fields, "events were refused: their timestamp is too far in the future, or invalid");
    this.#count = 0;
    this.#loggedAt = now;
  }
}

/** As seconds this is 1973, as milliseconds the second day of 1970. */
const LEAST_SECONDS = 1e8;
const DAY_MS = 86_400_000;

/**
 * Warns once if a number that is the time of an event must be seconds, where the clock expects milliseconds. All windows
 * would be in January 1970, and a thousand times too long. It looks at the first event of each batch, and at late events,
 * as those of one producer in seconds among others in milliseconds are.
 */
export class SecondsWatch<V> {
  readonly #context: StepContext;
  /** `undefined` once it has warned. */
  #read: EventClock<V>["timestamp"];

  /** @param clock `undefined` if its times are not read from users' events */
  constructor(context: StepContext, clock: Clock<V> | undefined) {
    this.#context = context;
    this.#read = clock?.kind === "event" ? clock.timestamp : undefined;
  }

  look(events: readonly V[], late: readonly LateEvent<V>[], now: number): void {
    const [first] = events;
    const read = this.#read;
    if (read === undefined || first === undefined) return;
    const times = [numberOf(read, first), ...late.map(({ value }) => numberOf(read, value))];
    const seconds = times.find((time) => time >= LEAST_SECONDS && time * 1_000 <= now + DAY_MS);
    if (seconds === undefined) return;
    this.#read = undefined;
    const { step, part, logger } = this.#context;
    logger.warn(
      { event: "time-in-seconds", step, part, timestamp: seconds },
      `step "${step}", partition "${part}": the time of an event is ${String(seconds)}. Read as milliseconds that is ` +
        `${dateOf(seconds)}, as seconds ${dateOf(seconds * 1_000)}. If it is seconds, give the clock unit: "s" (--clock=event-seconds:<field>).`,
    );
  }
}

/** NaN for a time that has no unit, and if the function throws, which the engine reports. */
function numberOf<V>(read: NonNullable<EventClock<V>["timestamp"]>, event: V): number {
  try {
    const time = read(event);
    return typeof time === "number" ? time : Number.NaN;
  } catch {
    return Number.NaN;
  }
}

function dateOf(ms: number): string {
  return new Date(ms).toISOString();
}
