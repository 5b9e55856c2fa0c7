import type { TaskHead, TaskId } from "../contracts/store.ts";
import { StateTooLargeError } from "../errors.ts";
import { keysKept } from "./counts-codec.ts";

/** Cells of the overflow key, one for each window, are not included in `maxKeys`. */
const RESTORE_SLACK = 1.1;

/**
 * State from a run with more room is restored if it fits into the whole run.
 *
 * @throws StateTooLargeError
 */
export function refuseTooLarge(
  { flow, part }: TaskId,
  { counts }: Pick<TaskHead, "counts">,
  maxKeys: number,
): void {
  const keys = keysKept(counts);
  if (keys <= maxKeys * RESTORE_SLACK) return;
  throw new StateTooLargeError(
    `flow "${flow}", partition "${part}": its stored state has ${keys} keys, and this run has room for ${maxKeys}. Give ` +
      "the process as much heap as before (--max-old-space-size), raise --max-keys (option maxKeys), or reset the state.",
  );
}
