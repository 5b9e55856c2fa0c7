import { messageOf } from "@millrace/dataflow";
import { RedisRefusedError, explainFailure } from "@millrace/redis-source";
import type { RedisError } from "@millrace/redis-source";

/** Two ways of saying no permission: the second one from within a script. */
const FORBIDDEN = /\bNOPERM\b|\bThe user executing the script\b/;

/**
 * Says in Millrace's words why a command of the store failed.
 *
 * @throws the error itself where it is neither Redis' nor the connection's
 */
export function failureOf(error: unknown, address: string): RedisError {
  const failure = explainFailure(error, address);
  return failure instanceof RedisRefusedError && FORBIDDEN.test(messageOf(error))
    ? new RedisRefusedError(`${failure.message} The store's README lists what it needs.`)
    : failure;
}
