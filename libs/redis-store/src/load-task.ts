import { FencedError } from "@millrace/dataflow";
import type { Json, TaskState } from "@millrace/dataflow";
import { sweepGroups } from "./admin/sweep-groups.ts";
import { applyJournal } from "./commit/apply-journal.ts";
import type { Link, TaskConnection } from "./connection/task-connection.ts";
import type { TaskKeys } from "./task-keys.ts";
import { jsonFrom, readMeta } from "./task-meta.ts";
import type { TaskMeta } from "./task-meta.ts";
import { decodeText } from "./text-codec.ts";

/**
 * Reads a task's state in pages. Nobody else can change it meanwhile but a newer owner, and then this load fails;
 * a connection that breaks makes it start again, since cursors do not outlive the server.
 *
 * @throws FencedError, StateError, RedisError
 */
export function loadTask(
  connection: TaskConnection,
  keys: TaskKeys,
  fence: number,
  pageFields: number,
): Promise<TaskState | undefined> {
  return connection.run("give back a task's state", async (link) => {
    for (;;) {
      await applyJournal(link, keys);
      const before = await readMeta(link, keys);
      requireOwner(before, fence, keys);
      if (before.commitNumber === 0) {
        await sweepGroups(link, keys, fence);
        return undefined;
      }
      const groups = await readGroups(link, keys, pageFields);
      const after = await readMeta(link, keys);
      requireOwner(after, fence, keys);
      const { commitNumber, signature, position, sinks, partial } = after;
      if (commitNumber !== before.commitNumber || after.waiting > 0) continue;
      return { commitNumber, signature, position, sinks, partial, groups };
    }
  });
}

function requireOwner({ fence: owner }: TaskMeta, fence: number, { base }: TaskKeys): void {
  if (owner <= fence) return;
  throw new FencedError(`${base}: owner ${owner} has taken the task over from owner ${fence}.`);
}

type Fields = Map<string, Json>;

async function readGroups(
  link: Link,
  keys: TaskKeys,
  pageFields: number,
): Promise<readonly (readonly [group: string, fields: Fields])[]> {
  const groups: (readonly [string, Fields])[] = [];
  for (const name of await groupNames(link, keys)) {
    const fields = await readGroup(link, keys.group(name), pageFields);
    // A group that lost its last field by deletes stays in the index until it is dropped.
    if (fields.size > 0) groups.push([name, fields]);
  }
  return groups;
}

/** Names of the groups that were put into and not dropped since. */
export async function groupNames({ client, answer }: Link, keys: TaskKeys): Promise<readonly string[]> {
  const names = new Set<string>();
  let cursor = "0";
  do {
    const [next, page] = await answer(client.sscan(keys.groups, cursor, "COUNT", 1_000));
    for (const name of page) names.add(decodeText(name));
    cursor = next;
  } while (cursor !== "0");
  return [...names];
}

/** A scan may give a field twice, hence a map. */
async function readGroup({ client, answer }: Link, hash: string, pageFields: number): Promise<Fields> {
  const fields: Fields = new Map();
  let cursor = "0";
  do {
    const [next, page] = await answer(client.hscan(hash, cursor, "COUNT", pageFields));
    for (let i = 0; i < page.length; i += 2) {
      fields.set(decodeText(page[i] ?? ""), jsonFrom(page[i + 1], hash));
    }
    cursor = next;
  } while (cursor !== "0");
  return fields;
}
