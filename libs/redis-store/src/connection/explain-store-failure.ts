import { messageOf } from "@millrace/dataflow";
import { explainFailure, isReply } from "@millrace/redis-source";
import type { RedisError } from "@millrace/redis-source";
import { KeyOccupiedError, StateIncompleteError } from "../errors.ts";
import { INCOMPLETE, OCCUPIED } from "../scripts/checks.ts";

/** From a command outside of scripts. */
const WRONG_TYPE = /^WRONGTYPE\b/;

/** Says in Millrace's words why a command failed: what the scripts refuse themselves, then what any command may meet. */
export function explainStoreFailure(error: unknown, address: string): RedisError {
  if (!isReply(error)) return explainFailure(error, address);
  const message = messageOf(error);
  if (message.startsWith(OCCUPIED)) return occupied(message.slice(OCCUPIED.length + 1), address);
  if (WRONG_TYPE.test(message)) return occupied(`a key of the task holds another type (${message})`, address);
  if (message.startsWith(INCOMPLETE)) return incomplete(message.slice(INCOMPLETE.length + 1), address);
  return explainFailure(error, address);
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
