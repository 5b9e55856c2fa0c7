import type { TaskAttempt } from "../connection/task-connection.ts";
import { APPLY } from "../scripts/apply.ts";
import { STAGE } from "../scripts/stage.ts";
import type { TaskKeys } from "../task-keys.ts";

/** A large commit on its way into Redis. */
export interface Staging {
  readonly fence: number;
  readonly number: number;
  /** Different for every attempt at a commit, so that pieces of two never mix. */
  readonly name: string;
}

/** Elements that {@attempt stagePieces} puts into Redis: 0 for a small commit, which needs no staging. */
export function stagedLength(pieces: readonly (readonly string[])[]): number {
  return pieces.length < 2 ? 0 : pieces.reduce((total, piece) => total + piece.length + 1, 0);
}

/** Puts the pieces of a commit into Redis, unless it would not be applied anyway: making it then tells why. */
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
  // Redis says where it is: after a piece, or at 0 again if it lost them.
  for (let at = 0, piece = starts.get(at); piece !== undefined; piece = starts.get(at)) {
    at = Number(await script(STAGE, [meta, staged], [fence, number, name, at, piece.length, ...piece]));
  }
}

/**
 * Applies what is left of the last commit, piece by piece, so that others get their turn in between.
 *
 * @throws KeyOccupiedError, StateIncompleteError, RedisError: the piece it met is still there whole
 */
export async function applyJournal(
  { script }: TaskAttempt,
  { meta, groups, journal, nothing }: TaskKeys,
): Promise<void> {
  while (Number(await script(APPLY, [meta, groups, journal, nothing], [])) > 0);
}
