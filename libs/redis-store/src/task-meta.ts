import { StateError } from "@millrace/dataflow";
import type { Json } from "@millrace/dataflow";
import type { Link } from "./connection/task-connection.ts";
import type { TaskKeys } from "./task-keys.ts";

/** What Redis keeps of a task besides its groups of state. */
export interface TaskMeta {
  /** The newest owner's; 0: never acquired. */
  readonly fence: number;
  /** 0: never committed. */
  readonly commitNumber: number;
  readonly signature: string;
  readonly position: Json;
  readonly sinks: Readonly<Record<string, Json>>;
  /** The last commit was a page of a close that had more. */
  readonly partial: boolean;
  /** When (ms, by the server's clock) the last commit was made. */
  readonly committedAt: number | undefined;
  /** Elements of the last commit that wait to be applied. */
  readonly waiting: number;
}

/** @throws StateError for damaged state */
export async function readMeta({ client, answer }: Link, keys: TaskKeys): Promise<TaskMeta> {
  const [fields, waiting] = await Promise.all([
    answer(client.hgetall(keys.meta)),
    answer(client.llen(keys.journal)),
  ]);
  const committed = fields["number"] !== undefined;
  const sinks = committed ? jsonFrom(fields["sinks"], keys.meta) : {};
  return {
    fence: Number(fields["fence"] ?? 0),
    commitNumber: Number(fields["number"] ?? 0),
    signature: fields["signature"] ?? "",
    position: committed ? jsonFrom(fields["position"], keys.meta) : null,
    sinks: isRecord(sinks) ? sinks : {},
    partial: fields["partial"] === "1",
    committedAt: fields["at"] === undefined ? undefined : Number(fields["at"]),
    waiting,
  };
}

/** @throws StateError */
export function jsonFrom(text: string | undefined, key: string): Json {
  try {
    return JSON.parse(text ?? "") as Json;
  } catch (cause) {
    throw new StateError(
      `Redis gave back damaged state in ${key}: ${text ?? "nothing"} is not JSON. Restore a copy, or reset the task.`,
      { cause },
    );
  }
}

function isRecord(json: Json): json is Readonly<Record<string, Json>> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}
