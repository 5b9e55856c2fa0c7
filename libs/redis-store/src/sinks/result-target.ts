import type { Json } from "@millrace/dataflow";

/** How subscribers hear of new results: `publish` to the whole cluster, `spublish` within the shard of the task. */
export type NoticeCommand = "publish" | "spublish";

/** Rows become entries of a stream. */
export interface StreamTarget {
  readonly kind: "redis-stream";
  readonly output: string;
  readonly maxLength: number;
  readonly notice: NoticeCommand | null;
}

/** Rows become fields of a hash per window. */
export interface HashTarget {
  readonly kind: "redis-hash";
  readonly output: string;
  /** `null`: rows stay. */
  readonly ttlMs: number | null;
  readonly notice: NoticeCommand | null;
}

/** Where a result sink of this library wants its rows, as it stands in a commit. */
export type ResultTarget = StreamTarget | HashTarget;

/** One row of a {@link HashTarget}: the row as JSON, and windows whose row of this key is void now. */
export interface HashRow {
  readonly window: string;
  readonly key: string;
  readonly revision: number;
  /** Rows of its window have been shown before. */
  readonly correction: boolean;
  readonly row: string;
  readonly replaces: readonly string[];
}

export function targetToJson(target: ResultTarget): Json {
  return { ...target };
}

/** `undefined` for a target of another store. */
export function targetFromJson(json: Json): ResultTarget | undefined {
  const { kind, output, notice, maxLength, ttlMs } = fieldsOf(json);
  if (typeof output !== "string") return undefined;
  const sent = notice === "publish" || notice === "spublish" ? notice : null;
  if (kind === "redis-stream" && typeof maxLength === "number") {
    return { kind, output, maxLength, notice: sent };
  }
  if (kind === "redis-hash") {
    return { kind, output, ttlMs: typeof ttlMs === "number" ? ttlMs : null, notice: sent };
  }
  return undefined;
}

export function hashRowToJson({ window, key, revision, correction, row, replaces }: HashRow): Json {
  return [window, key, revision, correction, row, ...replaces];
}

export function hashRowFromJson(json: Json): HashRow {
  const [window, key, revision, correction, row, ...replaces] = isList(json) ? json : [];
  return {
    window: textFrom(window),
    key: textFrom(key),
    revision: Number(revision),
    correction: correction === true,
    row: textFrom(row),
    replaces: replaces.map(textFrom),
  };
}

function textFrom(json: Json | undefined): string {
  return typeof json === "string" ? json : "";
}

function fieldsOf(json: Json): Readonly<Record<string, Json>> {
  return typeof json === "object" && json !== null && !isList(json) ? json : {};
}

// Array.isArray alone does not narrow a readonly list.
function isList(json: Json): json is readonly Json[] {
  return Array.isArray(json);
}
