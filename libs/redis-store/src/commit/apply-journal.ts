import type { Link } from "../connection/task-connection.ts";
import { APPLY } from "../scripts/apply.ts";
import type { TaskKeys } from "../task-keys.ts";

/** Applies what is left of the last commit, piece by piece, so that others get their turn in between. */
export async function applyJournal({ script }: Link, { journal, nothing }: TaskKeys): Promise<void> {
  while (Number(await script(APPLY, [journal, nothing], [])) > 0);
}
