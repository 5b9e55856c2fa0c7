import { messageOf } from "@millrace/dataflow";
import { RedisError, RedisRefusedError, RedisUnreachableError } from "@millrace/redis-source";

/** Starting, failing over, moving a slot, out of memory or disk: conditions that end. */
const PASSING = /^(LOADING|BUSY|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|MOVED|ASK|READONLY|NOREPLICAS|MISCONF|OOM)\b/;
/** After these the connection is with the wrong node. */
const ELSEWHERE = /^(MOVED|READONLY)\b/;
/** Two ways of saying no permission: the second one from within a script. */
const FORBIDDEN = /\bNOPERM\b|\bThe user executing the script\b/;

/** Says in Millrace's words why a command failed. */
export function failureOf(error: unknown, address: string): RedisError {
  if (error instanceof RedisError) return error;
  const message = messageOf(error);
  if (!isReply(error)) return new RedisUnreachableError(`The connection to ${address} was lost: ${message}.`);
  if (PASSING.test(message)) return new RedisUnreachableError(`Redis at ${address} answers: ${message}.`);
  const remedy = FORBIDDEN.test(message)
    ? " Give the user that permission with ACL SETUSER; the store's README lists what it needs."
    : "";
  return new RedisRefusedError(`Redis at ${address} refuses: ${message}.${remedy}`);
}

/** Whether another node is to be found before the command is sent again. */
export function isElsewhere(error: unknown): boolean {
  return isReply(error) && ELSEWHERE.test(error.message);
}

function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === "ReplyError";
}
