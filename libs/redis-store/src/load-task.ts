import { FencedError, requireRoom } from "@millrace/dataflow";
import type { Json, TaskState } from "@millrace/dataflow";
import { clearTask } from "./admin/clear-task.ts";
import { applyJournal } from "./commit/staging.ts";
import { incomplete } from "./connection/failure.ts";
import type { TaskAttempt, TaskConnection } from "./connection/task-connection.ts";
import { decodeText } from "./task-keys.ts";
import type { TaskKeys } from "./task-keys.ts";
import { begunAnew, jsonFrom, readMeta } from "./task-meta.ts";
import type { TaskMeta } from "./task-meta.ts";

/**
 * Reads a task's state in pages, and checks that it is complete. During the load only a newer owner can change it, and
 * then the load fails. If the connection breaks, the load starts again, since cursors do not outlive the server.
 *
 * @throws FencedError, StateError, StateIncompleteError, StateTooLargeError, KeyOccupiedError, RedisError
 */
export function loadTask(
  connection: TaskConnection,
  keys: TaskKeys,
  fence: number,
  pageFields: number,
): Promise<TaskState | undefined> {
  return connection.run("load a task's state", async (attempt) => {
    for (;;) {
      await applyJournal(attempt, keys);
      const before = await readMeta(attempt, keys);
      requireOwner(before, fence, keys);
      requireWhole(before, attempt);
      if (before.resetting) await clearTask(attempt, keys, fence);
      if (before.commitNumber === 0) return begunAnew(before);
      const groups = await readGroups(attempt, keys, pageFields);
      const after = await readMeta(attempt, keys);
      requireOwner(after, fence, keys);
      const { commitNumber, format, signature, position, sinks, partial, counts } = after;
      // After a rollback of Redis the previous owner may be the newest again, and commit.
      if (commitNumber !== before.commitNumber || after.waiting > 0) continue;
      for (const group of groups) requireFields(group, attempt, keys);
      return {
        commitNumber,
        format,
        signature,
        position,
        sinks,
        partial,
        counts,
        groups: groups.map(({ name, fields }) => [name, fields] as const),
      };
    }
  });
}

/** @throws StateIncompleteError */
export function requireWhole({ missing }: TaskMeta, { address }: TaskAttempt): void {
  if (missing !== undefined) throw incomplete(missing, address);
}

function requireOwner({ fence: owner }: TaskMeta, fence: number, { base }: TaskKeys): void {
  if (owner <= fence) return;
  throw new FencedError(`${base}: owner ${owner} has acquired the task from owner ${fence}.`);
}

function requireFields({ name, expected, fields }: Group, { address }: TaskAttempt, keys: TaskKeys): void {
  if (fields.size === expected) return;
  throw incomplete(`${keys.group(name)} has ${fields.size} fields where ${expected} were committed`, address);
}

interface Group {
  readonly name: string;
  /** How many fields were committed. */
  readonly expected: number;
  readonly fields: ReadonlyMap<string, Json>;
}

async function readGroups(
  attempt: TaskAttempt,
  keys: TaskKeys,
  pageFields: number,
): Promise<readonly Group[]> {
  const groups: Group[] = [];
  const sizes = await groupSizes(attempt, keys);
  requireRoomFor(sizes, keys);
  for (const [name, expected] of sizes) {
    groups.push({ name, expected, fields: await readGroup(attempt, keys, name, pageFields) });
  }
  return groups;
}

/** Fields of one group of state. @throws StateError */
export async function readGroup(
  attempt: TaskAttempt,
  keys: TaskKeys,
  name: string,
  pageFields: number,
): Promise<ReadonlyMap<string, Json>> {
  const hash = keys.group(name);
  const fields = new Map<string, Json>();
  for (const [field, value] of await readHash(attempt, hash, pageFields)) {
    fields.set(decodeText(field), jsonFrom(value, hash));
  }
  return fields;
}

/** @throws StateTooLargeError for state that does not fit into this process */
export function requireRoomFor(sizes: ReadonlyMap<string, number>, { base }: TaskKeys): void {
  let fields = 0;
  for (const size of sizes.values()) fields += size;
  requireRoom(base, fields);
}

/** The names of the groups of state, and how many fields each has. */
export async function groupSizes(attempt: TaskAttempt, keys: TaskKeys): Promise<ReadonlyMap<string, number>> {
  const sizes = new Map<string, number>();
  for (const [name, size] of await readHash(attempt, keys.groups, 1_000)) {
    if (name !== "life") sizes.set(decodeText(name), Number(size));
  }
  return sizes;
}

/** As a map, since a scan may return a field twice. */
async function readHash(
  { client, answer }: TaskAttempt,
  hash: string,
  pageFields: number,
): Promise<ReadonlyMap<string, string>> {
  const fields = new Map<string, string>();
  let cursor = "0";
  do {
    const [next, page] = await answer(client.hscan(hash, cursor, "COUNT", pageFields));
    for (let i = 0; i < page.length; i += 2) fields.set(page[i] ?? "", page[i + 1] ?? "");
    cursor = next;
  } while (cursor !== "0");
  return fields;
}
