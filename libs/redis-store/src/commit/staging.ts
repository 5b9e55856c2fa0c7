import type { TaskAttempt } from "../connection/task-connection.ts";
import { APPLY_PIECE } from "../scripts/apply-piece.ts";
import { STAGE } from "../scripts/stage.ts";
import type { TaskKeys } from "../task-keys.ts";

/** An attempt at a large commit. */
export interface Staging {
  readonly fence: number;
  readonly number: number;
  /** Different for every attempt at a commit, so that pieces of two never mix. */
  readonly name: string;
}

/** How many elements {@link stagePieces} writes: 0 for a small commit, which needs no staging. */
export function stagedLength(pieces: readonly (readonly string[])[]): number {
  return pieces.length < 2 ? 0 : pieces.reduce((total, piece) => total + piece.length + 1, 0);
}

/** Writes the pieces of a commit to Redis, unless it would not be applied anyway: the commit then returns why. */
export async function stagePieces(
  { script }: TaskAttempt,
  { meta, staged }: TaskKeys,
  { fence, number, name }: Staging,
  pieces: readonly (readonly string[])[],
): Promise<void> {
  const starts = new Map<number, readonly string[]>();
  let total = 0;
  for (const piece of pieces) {
    starts.set(total, piece);
    total += piece.length + 1;
  }
  // Redis returns how much is staged: all pieces so far, or 0 if it lost them.
  for (let at = 0, piece = starts.get(at); piece !== undefined; piece = starts.get(at)) {
    at = Number(await script(STAGE, [meta, staged], [fence, number, name, at, piece.length, ...piece]));
  }
}

/**
 * Applies the rest of the last commit, piece by piece, so that Redis can serve other clients in between.
 *
 * @throws KeyOccupiedError, StateIncompleteError, RedisError: the piece that failed stays in the journal
 */
export async function applyJournal(
  { script }: TaskAttempt,
  { meta, groups, journal, absent }: TaskKeys,
): Promise<void> {
  while (Number(await script(APPLY_PIECE, [meta, groups, journal, absent], [])) > 0);
}
