import { messageOf } from "@millrace/dataflow";
import { RedisRefusedError, explainFailure, isReply } from "@millrace/redis-source";
import type { RedisError } from "@millrace/redis-source";
import { KeyOccupiedError, StateIncompleteError } from "../errors.ts";
import { INCOMPLETE, OCCUPIED } from "../scripts/checks.ts";

/** Two ways of saying no permission: the second one from within a script that did not ask first. */
const FORBIDDEN = /\bNOPERM\b|\bThe user executing the script\b/;
/** From a command outside of scripts. */
const WRONG_TYPE = /^WRONGTYPE\b/;

/**
 * Says in Millrace's words why a command of the store failed: what the scripts refuse themselves, then what any command
 * may meet.
 *
 * @throws the error itself where it is neither Redis' nor the connection's
 */
export function failureOf(error: unknown, address: string): RedisError {
  if (isReply(error)) {
    const message = messageOf(error);
    if (message.startsWith(OCCUPIED)) return occupied(message.slice(OCCUPIED.length + 1), address);
    if (WRONG_TYPE.test(message)) return occupied(`${keyOf(error)} holds another type`, address);
    if (message.startsWith(INCOMPLETE)) return incomplete(message.slice(INCOMPLETE.length + 1), address);
  }
  const failure = explainFailure(error, address);
  return failure instanceof RedisRefusedError && FORBIDDEN.test(messageOf(error))
    ? new RedisRefusedError(`${failure.message} The store's README lists what it needs.`)
    : failure;
}

function occupied(what: string, address: string): KeyOccupiedError {
  return new KeyOccupiedError(
    `In Redis at ${address} ${what}: another program wrote it. The command that met it wrote nothing. Rename or delete ` +
      "that key and keep others away from the store's prefix; the next run goes on from the last commit, and first " +
      "applies what may be left of that one.",
  );
}

/** @param what is missing, and from which key */
export function incomplete(what: string, address: string): StateIncompleteError {
  return new StateIncompleteError(
    `The state in Redis at ${address} is not whole: ${what}. It was evicted or deleted (maxmemory-policy should be ` +
      "noeviction). Restore a copy, or reset the task: it then reads its input again as far as that is still there.",
  );
}

/** The key of the command that an error reply answers, which the client library attaches. */
function keyOf(reply: Error): string {
  const command: unknown = Reflect.get(reply, "command");
  const args: unknown =
    typeof command === "object" && command !== null ? Reflect.get(command, "args") : undefined;
  return Array.isArray(args) ? String(args[0]) : "a key of the task";
}
