import type { DividedPosition, Json } from "@millrace/dataflow";
import { divideLedger, uniteLedger } from "@millrace/redis-source";
import { KafkaPositionError } from "../errors.ts";
import { readLosses } from "./losses.ts";
import type { LossEntry } from "./losses.ts";
import { isKafkaStart } from "./source-options.ts";
import type { KafkaStart } from "./source-options.ts";

/** A partition's position in a commit. */
export interface KafkaPosition {
  readonly topicId: string;
  /** How many partitions the topic had when reading began; `undefined`: an earlier version wrote the position. */
  readonly partitions: number | undefined;
  /** The next offset to read. */
  readonly offset: number;
  /** What was gone before it was read. */
  readonly losses: readonly LossEntry[];
  /** The account of numbered events. */
  readonly ledger: Json | undefined;
  /**
   * See `SourcePartition.wholeFrom`. `null`: the first record that is delivered shows it. Absent in positions of tasks that
   * began at an end of the partition.
   */
  readonly wholeFrom?: number | null | undefined;
}

/** The position as JSON. */
export function writePosition(position: KafkaPosition): Json {
  const { topicId, partitions, offset, losses, ledger = null, wholeFrom } = position;
  return {
    topicId,
    ...(partitions === undefined ? {} : { partitions }),
    offset,
    losses,
    ledger,
    ...(wholeFrom === undefined ? {} : { wholeFrom }),
  };
}

/** Where a task resumes: at a position, or where it was reset to. */
export type Resume =
  | { readonly kind: "position"; readonly position: KafkaPosition }
  | { readonly kind: "start"; readonly start: KafkaStart };

/** @throws KafkaPositionError if no source of a topic wrote it, and it is no place in one */
export function readResume(resume: Json): Resume {
  const start = startOf(resume);
  if (start === undefined) return { kind: "position", position: readPosition(resume) };
  if (isKafkaStart(start)) return { kind: "start", start };
  throw new KafkaPositionError(
    `The task was reset to begin at ${JSON.stringify(start)}, which is no place in a topic. Reset it to a time, or to an offset.`,
  );
}

/** Where a task was reset to, in place of a position; `undefined`: it is a position. */
function startOf(resume: Json): string | undefined {
  if (typeof resume !== "object" || resume === null || !("start" in resume)) return undefined;
  const { start } = resume;
  return typeof start === "string" ? start : undefined;
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
    const { topicId, offset, losses, ledger, wholeFrom } = position;
    const count = position["partitions"];
    const partitions = isOffset(count) ? count : undefined;
    const entries = readLosses(losses);
    if (typeof topicId === "string" && isOffset(offset) && entries !== undefined) {
      const from = typeof wholeFrom === "number" || wholeFrom === null ? wholeFrom : undefined;
      return { topicId, partitions, offset, losses: entries, ledger, wholeFrom: from };
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
