import { bytesOf } from "./operation.ts";
import type { Operation } from "./operation.ts";

/** A commit of more arguments is staged in pieces: in one call it would keep Redis busy for more than 10 ms. */
const CALL_ARGS = 50_000;
/** What one piece of a staged commit carries: it keeps Redis busy for about a millisecond. */
const PIECE_ARGS = 2_000;
/** Appending an entry takes Redis longer than its few arguments tell: about as long as four fields do. */
const ENTRY_ARGS = 9;
const PIECE_BYTES = 256 * 1_024;
/** After so many pieces, some milliseconds of work, others get their turn. */
const PIECES_A_TURN = 8;

/**
 * Fills pieces with operations, in order, each preceded by its length. All of them are one piece where one call bears
 * that; else one beyond the size of a piece has a piece of its own.
 *
 * @param maxCallBytes what one call bears
 * @param onOperation called with each operation before it is taken
 * @param breathe lets the event loop turn
 */
export async function fillPieces(
  operations: Iterable<Operation>,
  maxCallBytes: number,
  onOperation: (operation: Operation, bytes: number) => void,
  breathe: () => Promise<void>,
): Promise<readonly (readonly string[])[]> {
  const pieces: string[][] = [];
  let allArgs = 0;
  let allBytes = 0;
  let piece: string[] = [];
  let pieceArgs = 0;
  let pieceBytes = 0;
  for (const operation of operations) {
    const bytes = bytesOf(operation);
    onOperation(operation, bytes);
    const args = operation[0] === "ENTRY" ? ENTRY_ARGS : operation.length + 1;
    const fits = pieceArgs + args <= PIECE_ARGS && pieceBytes + bytes <= PIECE_BYTES;
    if (pieces.length === 0 || !fits) {
      if (pieces.length > 0 && pieces.length % PIECES_A_TURN === 0) await breathe();
      piece = [];
      pieceArgs = 0;
      pieceBytes = 0;
      pieces.push(piece);
    }
    piece.push(String(operation.length), ...operation);
    pieceArgs += args;
    pieceBytes += bytes;
    allArgs += args;
    allBytes += bytes;
  }
  const inOneCall = allArgs <= CALL_ARGS && allBytes <= maxCallBytes;
  return inOneCall && pieces.length > 1 ? [pieces.flat()] : pieces;
}
