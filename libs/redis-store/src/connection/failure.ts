import { messageOf } from "@millrace/dataflow";
import { RedisRefusedError, explainFailure, replyKind } from "@millrace/redis-source";
import type { RedisError } from "@millrace/redis-source";
import { KeyOccupiedError, StateIncompleteError } from "../errors.ts";
import { INCOMPLETE, OCCUPIED } from "../scripts/checks.ts";

/**
 * Turns a failure of a store's command into an error of Millrace: first refusals by its scripts, then those that any command
 * may get (`explainFailure`).
 *
 * @throws the error itself if it comes neither from Redis nor from the connection
 */
export function failureOf(error: unknown, address: string): RedisError {
  const kind = replyKind(error);
  if (kind !== undefined) {
    const message = messageOf(error);
    if (message.startsWith(OCCUPIED)) return occupied(message.slice(OCCUPIED.length + 1), address);
    if (message.startsWith(INCOMPLETE)) return incomplete(message.slice(INCOMPLETE.length + 1), address);
  }
  if (kind === "occupied") return occupied(`${keyOf(error)} holds another type`, address);
  const failure = explainFailure(error, address);
  return kind === "forbidden"
    ? new RedisRefusedError(`${failure.message} The store's README lists what it needs.`)
    : failure;
}

function occupied(what: string, address: string): KeyOccupiedError {
  return new KeyOccupiedError(
    `In Redis at ${address} ${what}: another program wrote it. The command that found it wrote nothing. Rename or delete ` +
      "that key, and keep other programs away from the store's prefix. The next run continues from the last commit, and first " +
      "applies the rest of it, if there is any.",
  );
}

/** @param what is missing, and from which key */
export function incomplete(what: string, address: string): StateIncompleteError {
  return new StateIncompleteError(
    `The state in Redis at ${address} is incomplete: ${what}. It was evicted or deleted (set maxmemory-policy to ` +
      "noeviction). Restore a copy, or reset the task: it then reads its input again, as far as that still exists.",
  );
}

/** The key of the command that an error reply answers, which the client library attaches. */
function keyOf(reply: unknown): string {
  const command: unknown =
    typeof reply === "object" && reply !== null ? Reflect.get(reply, "command") : undefined;
  const args: unknown =
    typeof command === "object" && command !== null ? Reflect.get(command, "args") : undefined;
  return Array.isArray(args) ? String(args[0]) : "a key of the task";
}
