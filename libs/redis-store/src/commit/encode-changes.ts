import type { Commit } from "@millrace/dataflow";
import type { TaskKeys } from "../task-keys.ts";
import { encodeText } from "../text-codec.ts";
import { inRuns } from "./operation.ts";
import type { Operation } from "./operation.ts";

type StateField = NonNullable<Commit["changes"][number]["put"]>[number];

/** The operations that make changes of state: of each group first the drop, then the puts, then the deletes. */
export function* encodeChanges(keys: TaskKeys, changes: Commit["changes"]): Generator<Operation> {
  for (const { group, drop, put = [], delete: gone = [] } of changes) {
    const hash = keys.group(group);
    const name = encodeText(group);
    if (drop === true) yield ["DROP", hash, name];
    for (const run of inRuns(fieldsOf(put))) yield ["PUT", hash, name, ...run];
    for (const run of inRuns(namesOf(gone))) yield ["DELETE", hash, name, ...run];
  }
}

// One at a time, since a group may have so many that encoding them all at once would hold the event loop.
function* fieldsOf(put: readonly StateField[]): Generator<readonly string[]> {
  for (const [field, value] of put) yield [encodeText(field), JSON.stringify(value)];
}

function* namesOf(fields: readonly string[]): Generator<readonly string[]> {
  for (const field of fields) yield [encodeText(field)];
}
