import type { Link } from "../connection/task-connection.ts";
import { STAGE } from "../scripts/stage.ts";
import type { TaskKeys } from "../task-keys.ts";

/**
 * Puts the pieces of a large commit into Redis; nothing to do for a small one.
 *
 * @returns elements staged; 0 for a small commit, and for one that would not be applied anyway
 */
export async function stagePieces(
  { script }: Link,
  { meta, staged }: TaskKeys,
  fence: number,
  number: number,
  pieces: readonly (readonly string[])[],
): Promise<number> {
  if (pieces.length < 2) return 0;
  const starts = new Map<number, readonly string[]>();
  let total = 0;
  for (const piece of pieces) {
    starts.set(total, piece);
    total += piece.length + 1;
  }
  // Redis says where it is: behind a piece, or at 0 again if it lost them.
  let at = 0;
  for (let piece = starts.get(0); piece !== undefined; piece = starts.get(at)) {
    at = Number(await script(STAGE, [meta, staged], [fence, number, at, piece.length, ...piece]));
  }
  return at === total ? total : 0;
}
