import { messageOf } from "@millrace/dataflow";
import { RedisError, RedisRefusedError, RedisUnreachableError } from "@millrace/redis-source";
import { KeyOccupiedError, StateIncompleteError } from "../errors.ts";
import { INCOMPLETE, OCCUPIED } from "../scripts/checks.ts";

/** Starting, failing over, moving a slot, out of memory or disk, a script killed before it wrote: conditions that end. */
const PASSING =
  /^(LOADING|BUSY|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|MOVED|ASK|READONLY|NOREPLICAS|MISCONF|OOM)\b|\bScript killed by user\b/;
/** After these the connection is with the wrong node. */
const ELSEWHERE = /^(MOVED|READONLY)\b/;
/** Two ways of saying no permission: the second one from within a script that did not ask first. */
const FORBIDDEN = /\bNOPERM\b|\bThe user executing the script\b/;

/** From a command outside of scripts. */
const WRONG_TYPE = /^WRONGTYPE\b/;

/** Says in Millrace's words why a command failed. */
export function failureOf(error: unknown, address: string): RedisError {
  if (error instanceof RedisError) return error;
  const message = messageOf(error);
  if (!isReply(error)) return new RedisUnreachableError(`The connection to ${address} was lost: ${message}.`);
  if (PASSING.test(message)) return new RedisUnreachableError(`Redis at ${address} answers: ${message}.`);
  if (message.startsWith(OCCUPIED)) return occupied(message.slice(OCCUPIED.length + 1), address);
  if (WRONG_TYPE.test(message)) return occupied(`${keyOf(error)} holds another type`, address);
  if (message.startsWith(INCOMPLETE)) return incomplete(message.slice(INCOMPLETE.length + 1), address);
  const remedy = FORBIDDEN.test(message)
    ? " Give the user that permission with ACL SETUSER; the store's README lists what it needs."
    : "";
  return new RedisRefusedError(`Redis at ${address} refuses: ${message}.${remedy}`);
}

function occupied(what: string, address: string): KeyOccupiedError {
  return new KeyOccupiedError(
    `In Redis at ${address} ${what}: another program wrote it. Nothing was committed. Rename or delete that key and ` +
      "keep others away from the store's prefix; the next run goes on from the last commit.",
  );
}

/** @param what is missing, and from which key */
export function incomplete(what: string, address: string): StateIncompleteError {
  return new StateIncompleteError(
    `The state in Redis at ${address} is not whole: ${what}. It was evicted or deleted (maxmemory-policy should be ` +
      "noeviction). Restore a copy, or reset the task: it then reads its input again as far as that is still there.",
  );
}

/** Whether another node is to be found before the command is sent again. */
export function isElsewhere(error: unknown): boolean {
  return isReply(error) && ELSEWHERE.test(error.message);
}

/** The key of the command that an error reply answers, which the client library attaches. */
function keyOf(reply: Error): string {
  const command: unknown = Reflect.get(reply, "command");
  const args: unknown =
    typeof command === "object" && command !== null ? Reflect.get(command, "args") : undefined;
  return Array.isArray(args) ? String(args[0]) : "a key of the task";
}

function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === "ReplyError";
}
