import type { DividedPosition, Json } from "@millrace/dataflow";
import { divideLedger, uniteLedger } from "@millrace/redis-source";
import { KafkaPositionError } from "../errors.ts";
import { readLosses } from "./losses.ts";
import type { LossEntry } from "./losses.ts";

/** A partition's position in a commit. */
export interface KafkaPosition {
  readonly topicId: string;
  /** The next offset to read. */
  readonly offset: number;
  /** What was gone before it was read. */
  readonly losses: readonly LossEntry[];
  /** The account of numbered events. */
  readonly ledger: Json | undefined;
}

/** The position as JSON. */
export function writePosition({ topicId, offset, losses, ledger = null }: KafkaPosition): Json {
  return { topicId, offset, losses, ledger };
}

/** Divides a position into the place and the fields of the account of numbers. */
export function dividePosition(position: Json): DividedPosition {
  const { ledger = null, ...place } = readPosition(position);
  const { head, fields } = divideLedger(ledger);
  return { head: writePosition({ ...place, ledger: head }), fields };
}

/** Undoes {@link dividePosition}. */
export function unitePosition({ head, fields }: DividedPosition): Json {
  const { ledger = null, ...place } = readPosition(head);
  return writePosition({ ...place, ledger: uniteLedger({ head: ledger, fields }) });
}

/** @throws KafkaPositionError if no source of a topic wrote it */
export function readPosition(position: Json): KafkaPosition {
  if (typeof position === "object" && position !== null && "offset" in position) {
    const { topicId, offset, losses, ledger } = position;
    const entries = readLosses(losses);
    if (typeof topicId === "string" && isOffset(offset) && entries !== undefined) {
      return { topicId, offset, losses: entries, ledger };
    }
  }
  throw new KafkaPositionError(
    `The stored position ${JSON.stringify(position).slice(0, 100)} is not one in a topic, so this source did not write ` +
      "it. Reset the task's state, or give the flow another id.",
  );
}

function isOffset(value: Json | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
