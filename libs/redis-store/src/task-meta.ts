import { StateError } from "@millrace/dataflow";
import type { Json, TaskState } from "@millrace/dataflow";
import type { TaskAttempt } from "./connection/task-connection.ts";
import { LOOK } from "./scripts/look.ts";
import type { TaskKeys } from "./task-keys.ts";

/** What Redis holds of a task besides its groups of state. */
export interface TaskMeta {
  /** The fence of the newest owner; 0: never acquired. */
  readonly fence: number;
  /** 0: never committed. */
  readonly commitNumber: number;
  /** Format of the last commit; 1: it was made by a version that named none. */
  readonly format: number;
  readonly signature: string;
  readonly position: Json;
  /** Where a task that was reset begins, until it commits; `undefined`: where its source does. */
  readonly start: string | undefined;
  readonly sinks: Readonly<Record<string, Json>>;
  /** Whether the last commit was a page of a close, with more pages to come. */
  readonly partial: boolean;
  /** The counts of the run at the last commit; `null`: it was made by a version without counts. */
  readonly counts: Json;
  /**
   * Event time (ms) up to which windows are final except for revisions: every first result of a window that closes by
   * then can be read. `undefined`: none so far, or the flow has no windows.
   */
  readonly watermark: number | undefined;
  /** When (ms, by the server's clock) the last commit was made. */
  readonly committedAt: number | undefined;
  /** Elements of the last commit that are not applied yet. */
  readonly waiting: number;
  /** Whether a reset has begun and not ended. */
  readonly resetting: boolean;
  /** What was evicted or deleted, as far as it shows without reading the groups; `undefined`: nothing. */
  readonly missing: string | undefined;
}

/** @throws StateError for damaged state, KeyOccupiedError, RedisError */
export async function readMeta({ script }: TaskAttempt, keys: TaskKeys): Promise<TaskMeta> {
  const [pairs, life, groups, waiting] = listOf(
    await script(LOOK, [keys.meta, keys.groups, keys.journal], []),
  );
  const fields = fieldsOf(pairs);
  const index = { life: typeof life === "string" ? life : undefined, length: Number(groups) };
  const committed = fields.has("number");
  const sinks = committed ? jsonFrom(fields.get("sinks"), keys.meta) : {};
  return {
    fence: Number(fields.get("fence") ?? 0),
    commitNumber: Number(fields.get("number") ?? 0),
    format: Number(fields.get("format") ?? 1),
    signature: fields.get("signature") ?? "",
    start: committed ? undefined : fields.get("start"),
    position: committed ? jsonFrom(fields.get("position"), keys.meta) : null,
    sinks: isRecord(sinks) ? sinks : {},
    partial: fields.get("partial") === "1",
    counts: fields.has("counts") ? jsonFrom(fields.get("counts"), keys.meta) : null,
    watermark: numberFrom(fields.get("watermark")),
    committedAt: numberFrom(fields.get("at")),
    waiting: Number(waiting),
    resetting: fields.has("resetting"),
    missing: missingIn(fields, index, Number(waiting), keys),
  };
}

/** The state of a task that was reset to begin somewhere, and has not committed since; `undefined`: it was not. */
export function begunAnew({ commitNumber, start }: TaskMeta): TaskState | undefined {
  if (commitNumber > 0 || start === undefined) return undefined;
  return {
    commitNumber: 0,
    format: 1,
    signature: "",
    position: { start },
    sinks: {},
    groups: [],
    partial: false,
    counts: null,
  };
}

/** Meta and groups are checked against each other: each says what the other must hold. */
function missingIn(
  fields: ReadonlyMap<string, string>,
  index: { readonly life: string | undefined; readonly length: number },
  waiting: number,
  { meta, groups, journal }: TaskKeys,
): string | undefined {
  const committed = fields.has("number");
  if (!committed && index.length > 0) return `${meta} has lost its commit`;
  const expected = Number(fields.get("groups") ?? 0);
  if (index.length !== expected || (committed && index.life !== fields.get("life"))) {
    return `${groups} has ${index.length} fields where ${expected} were committed`;
  }
  const left = Number(fields.get("waiting") ?? 0);
  return waiting === left ? undefined : `${journal} has ${waiting} elements where ${left} were committed`;
}

/** @throws StateError */
export function jsonFrom(text: string | undefined, key: string): Json {
  try {
    return JSON.parse(text ?? "") as Json;
  } catch (cause) {
    throw new StateError(
      `Redis returned damaged state in ${key}: ${text ?? "nothing"} is not JSON. Restore a copy, or reset the task.`,
      { cause },
    );
  }
}

/** `undefined` if the text is absent or empty. */
function numberFrom(text: string | undefined): number | undefined {
  return text === undefined || text === "" ? undefined : Number(text);
}

function fieldsOf(pairs: unknown): ReadonlyMap<string, string> {
  const list = listOf(pairs);
  const fields = new Map<string, string>();
  for (let i = 0; i < list.length; i += 2) fields.set(String(list[i]), String(list[i + 1]));
  return fields;
}

function listOf(reply: unknown): readonly unknown[] {
  return Array.isArray(reply) ? reply : [];
}

function isRecord(json: Json): json is Readonly<Record<string, Json>> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}
