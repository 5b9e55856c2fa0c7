import { bytesOf } from "./operation.ts";
import type { Operation } from "./operation.ts";

/** What one call of a script carries: it keeps Redis busy for two or three milliseconds. */
const PIECE_ARGS = 2_000;
const PIECE_BYTES = 256 * 1_024;
/** After so many pieces, some milliseconds of work, others get their turn. */
const PIECES_A_TURN = 8;

/**
 * Fills pieces with operations, in order, each preceded by its length; one beyond the size of a piece has a piece of
 * its own.
 *
 * @param onOperation called with each operation before it is taken
 * @param breathe lets the event loop turn
 */
export async function fillPieces(
  operations: Iterable<Operation>,
  onOperation: (operation: Operation, bytes: number) => void,
  breathe: () => Promise<void>,
): Promise<readonly (readonly string[])[]> {
  const pieces: string[][] = [];
  let piece: string[] = [];
  let pieceBytes = 0;
  for (const operation of operations) {
    const bytes = bytesOf(operation);
    onOperation(operation, bytes);
    const fits = piece.length + operation.length + 1 <= PIECE_ARGS && pieceBytes + bytes <= PIECE_BYTES;
    if (pieces.length === 0 || !fits) {
      if (pieces.length > 0 && pieces.length % PIECES_A_TURN === 0) await breathe();
      piece = [];
      pieceBytes = 0;
      pieces.push(piece);
    }
    piece.push(String(operation.length), ...operation);
    pieceBytes += bytes;
  }
  return pieces;
}
