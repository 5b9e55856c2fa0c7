import type { DividedPosition, Json } from "@millrace/dataflow";
import { RedisPositionError } from "../errors.ts";
import { isEntryId } from "./entry-id.ts";
import { divideLedger, uniteLedger } from "../wire/ledger-state.ts";
import type { Place, StreamEnd } from "./place.ts";
import { isStreamStart } from "./stream-source-options.ts";
import type { StreamStart } from "./stream-source-options.ts";

/** A stream's position in a commit: how far it was read, and which numbers were seen. */
export interface StreamPosition extends Place {
  /** Absent in positions of streams that were never seen. */
  readonly seen: StreamEnd | undefined;
  readonly ledger: Json | undefined;
  /** See `SourcePartition.wholeFrom`. Absent in positions of tasks that began at the first entry, or at the last. */
  readonly wholeFrom?: number | undefined;
}

/** The position as JSON. */
export function writePosition({ id, entries, seen, ledger = null, wholeFrom }: StreamPosition): Json {
  const end = seen === undefined ? null : { added: seen.added, lastId: seen.lastId };
  return { id, entries, seen: end, ledger, ...(wholeFrom === undefined ? {} : { wholeFrom }) };
}

/** Where a task resumes: at a position, or where it was reset to. */
export type Resume =
  | { readonly kind: "position"; readonly position: StreamPosition }
  | { readonly kind: "start"; readonly start: StreamStart };

/** @throws RedisPositionError if no source of streams wrote it, and it is no place in one */
export function readResume(resume: Json): Resume {
  const start = startOf(resume);
  if (start === undefined) return { kind: "position", position: readPosition(resume) };
  if (isStreamStart(start)) return { kind: "start", start };
  throw new RedisPositionError(
    `The task was reset to begin at ${JSON.stringify(start)}, which is no place in a stream. Reset it to a time, or to an ` +
      "entry's id such as 1763848800123-0.",
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
  const { ledger = null, ...rest } = readPosition(position);
  const { head, fields } = divideLedger(ledger);
  return { head: writePosition({ ...rest, ledger: head }), fields };
}

/** Undoes {@link dividePosition}. */
export function unitePosition({ head, fields }: DividedPosition): Json {
  const { ledger = null, ...rest } = readPosition(head);
  return writePosition({ ...rest, ledger: uniteLedger({ head: ledger, fields }) });
}

/** @throws RedisPositionError if no source of streams wrote it */
export function readPosition(position: Json): StreamPosition {
  if (typeof position === "object" && position !== null && "id" in position) {
    const { id, entries, seen, ledger, wholeFrom } = position;
    const counted = entries === null || (Number.isSafeInteger(entries) && Number(entries) >= 0);
    if (typeof id === "string" && isEntryId(id) && counted) {
      return {
        id,
        entries: entries === null ? null : Number(entries),
        seen: readEnd(seen),
        ledger,
        wholeFrom: typeof wholeFrom === "number" ? wholeFrom : undefined,
      };
    }
  }
  throw new RedisPositionError(
    `The stored position ${JSON.stringify(position).slice(0, 100)} is not one of a stream, so this source did not write ` +
      "it. Reset the task's state, or give the flow another id.",
  );
}

function readEnd(seen: Json | undefined): StreamEnd | undefined {
  if (typeof seen !== "object" || seen === null || !("added" in seen)) return undefined;
  const { added, lastId } = seen;
  const known = typeof added === "number" && typeof lastId === "string" && isEntryId(lastId);
  return known ? { added, lastId } : undefined;
}
