import { UsageError } from "@millrace/cli";
import type { Parser, Transport } from "@millrace/cli";
import { timeOf } from "@millrace/windowing/options";

/** An example in messages. */
const A_TIME = "a time with its zone such as 2026-11-28T10:00:00Z";
const ENTRY_ID = /^\d{1,20}-\d{1,20}$/;
const OFFSET = /^\d{1,15}$/;

/**
 * Parses a place in the input: a time, the id of a stream's entry, an offset of Kafka, or one of some words. A time is written
 * anew, in UTC.
 */
export function placeIn(...words: readonly string[]): Parser<string> {
  return (given) => {
    if (words.includes(given) || ENTRY_ID.test(given) || OFFSET.test(given)) return given;
    const time = timeOf(given);
    if (Number.isNaN(time)) {
      const named = words.length === 0 ? "" : `${words.join(", ")}, `;
      throw new RangeError(
        `${JSON.stringify(given)} is no place to begin: give ${named}${A_TIME}, an entry's id such as 1763848800123-0 (streams), or an offset (kafka)`,
      );
    }
    if (time > Date.now()) throw new RangeError(`${given} is in the future: give a time that has passed`);
    return new Date(time).toISOString();
  };
}

/** Whether it is an offset, which is one partition's: nothing shows yet which windows begin after it. */
export function isOffset(place: string): boolean {
  return OFFSET.test(place);
}

/**
 * Refuses a place that the input does not have.
 *
 * @param option for the message, such as `--start`
 * @param tasks names of the partitions; `undefined`: all that a topic has
 * @throws UsageError
 */
export function requirePlace(
  option: string,
  place: string,
  transport: Transport,
  tasks: readonly string[] | undefined,
): void {
  if (transport === "kafka" && ENTRY_ID.test(place)) {
    throw new UsageError(
      `${option}: ${place} is the id of a stream's entry; with Kafka give ${A_TIME}, or an offset, and for --start earliest or latest`,
    );
  }
  if (transport === "stream" && isOffset(place)) {
    throw new UsageError(
      `${option}: ${place} is an offset of Kafka; for a stream give ${A_TIME}, or an entry's id`,
    );
  }
  if (transport === "kafka" && isOffset(place) && tasks?.length !== 1) {
    throw new UsageError(
      `${option}: an offset is that of one partition: name it with --tasks, such as --tasks=0, or give ${A_TIME}`,
    );
  }
}
