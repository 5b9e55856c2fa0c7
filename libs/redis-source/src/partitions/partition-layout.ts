import { crc32 } from "node:zlib";
import { RedisOptionsError } from "../errors.ts";

/** The name of the hash of {@link partitionOf} in layouts. Another function would have another name. */
export const PARTITION_HASH = "crc32";

/** How events are divided among the channels or streams of one name. */
export interface PartitionLayout {
  readonly count: number;
  /** The field that decides an event's partition; `undefined`: not known. It does not matter with one partition. */
  readonly field: string | undefined;
  /** The function that maps the value to a partition; see {@link PARTITION_HASH}. */
  readonly hash: string;
}

/**
 * The partition of events with this key: CRC-32 (IEEE 802.3, as in zlib, PNG and gzip) of the key in UTF-8, modulo the
 * number of partitions. Every language's standard library has it, so publishers in any language agree.
 *
 * @param partitions 1 or more
 */
export function partitionOf(key: string, partitions: number): number {
  return partitions === 1 ? 0 : crc32(key) % partitions;
}

/** Longer than any name of a field, and short enough for an attribute of a frame. */
const LONGEST_FIELD = 200;
const FORM = /^([1-9]\d{0,4})(?:\/([a-z0-9-]{1,32})\/([A-Za-z0-9._%-]*))?$/;

/** @throws RedisOptionsError for the name of a field that cannot be written in a layout */
export function layoutOf(count: number, field: string | undefined): PartitionLayout {
  const layout = { count, field, hash: PARTITION_HASH };
  const text = encode(field ?? "");
  if (text === undefined || text.length > LONGEST_FIELD) {
    throw new RedisOptionsError(
      `"${(field ?? "").slice(0, 50)}" is invalid as the field that events are partitioned by: give a shorter name of plain text.`,
    );
  }
  return layout;
}

/** A layout as Redis and frames hold it: `1`, or `4/crc32/os_timezone`. */
export function formatLayout({ count, field, hash }: PartitionLayout): string {
  return count === 1 ? "1" : `${count}/${hash}/${encode(field ?? "") ?? ""}`;
}

/** `undefined`: the text is no layout. */
export function parseLayout(text: string): PartitionLayout | undefined {
  const [, count, hash, field = ""] = FORM.exec(text) ?? [];
  if (count === undefined || (hash === undefined) !== (count === "1")) return undefined;
  return {
    count: Number(count),
    hash: hash ?? PARTITION_HASH,
    field: field === "" ? undefined : decode(field),
  };
}

/** For messages. */
export function describeLayout({ count, field, hash }: PartitionLayout): string {
  if (count === 1) return "1 partition";
  return `${count} partitions by ${field === undefined ? "a field that is not named" : `field "${field}"`} (${hash})`;
}

/** Whether events divided by one layout can be read by the other. A field that is not known may be the same. */
export function isSameLayout(a: PartitionLayout, b: PartitionLayout): boolean {
  if (a.count !== b.count) return false;
  if (a.count === 1) return true;
  return a.hash === b.hash && (a.field === undefined || b.field === undefined || a.field === b.field);
}

/** As in URLs; `undefined`: the text has no form in UTF-8. */
function encode(field: string): string | undefined {
  try {
    return encodeURIComponent(field).replace(
      /[!'()*~]/g,
      (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
    );
  } catch {
    return undefined;
  }
}

function decode(field: string): string {
  try {
    return decodeURIComponent(field);
  } catch {
    return field;
  }
}
