import type { Commit } from "@millrace/dataflow";
import type { TaskKeys } from "../task-keys.ts";
import { encodeText } from "../text-codec.ts";
import type { Command } from "./command.ts";

/** Fields in one command. Small enough that a command is a small part of a script's time. */
const FIELDS_A_COMMAND = 200;

/** The commands that make changes of state: of each group first the drop, then the puts, then the deletes. */
export function* encodeChanges(keys: TaskKeys, changes: Commit["changes"]): Generator<Command> {
  for (const { group, drop, put = [], delete: gone = [] } of changes) {
    const hash = keys.group(group);
    const name = encodeText(group);
    if (drop === true) {
      yield ["UNLINK", hash];
      if (put.length === 0) yield ["SREM", keys.groups, name];
    }
    if (put.length > 0) yield ["SADD", keys.groups, name];
    for (let from = 0; from < put.length; from += FIELDS_A_COMMAND) {
      const fields = put.slice(from, from + FIELDS_A_COMMAND);
      yield ["HSET", hash, ...fields.flatMap(([field, value]) => [encodeText(field), JSON.stringify(value)])];
    }
    for (let from = 0; from < gone.length; from += FIELDS_A_COMMAND) {
      yield ["HDEL", hash, ...gone.slice(from, from + FIELDS_A_COMMAND).map(encodeText)];
    }
  }
}
