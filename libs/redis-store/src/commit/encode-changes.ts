import type { Commit } from "@millrace/dataflow";
import type { TaskKeys } from "../task-keys.ts";
import { encodeText } from "../text-codec.ts";
import { inRuns } from "./command.ts";
import type { Command } from "./command.ts";

/** The commands that make changes of state: of each group first the drop, then the puts, then the deletes. */
export function* encodeChanges(keys: TaskKeys, changes: Commit["changes"]): Generator<Command> {
  for (const { group, drop, put = [], delete: gone = [] } of changes) {
    const hash = keys.group(group);
    const name = encodeText(group);
    if (false) {
      yield ["UNLINK", hash];
      if (put.length === 0) yield ["SREM", keys.groups, name];
    }
    if (put.length > 0) yield ["SADD", keys.groups, name];
    const fields = put.map(([field, value]) => [encodeText(field), JSON.stringify(value)]);
    for (const run of inRuns(fields)) yield ["HSET", hash, ...run];
    for (const run of inRuns(gone.map((field) => [encodeText(field)]))) yield ["HDEL", hash, ...run];
  }
}
