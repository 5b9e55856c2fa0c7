import { bytesOf } from "./operation.ts";
import type { Operation } from "./operation.ts";

/** A commit with more arguments is staged in pieces: in one call it would block Redis for more than 10 ms. */
const CALL_ARGS = 50_000;
/** Most arguments in one piece of a staged commit: it blocks Redis for about a millisecond. */
const PIECE_ARGS = 2_000;
/** Counted for appending an entry: it takes Redis about as long as four fields, though it has few arguments. */
const ENTRY_ARGS = 9;
const PIECE_BYTES = 256 * 1_024;
/** After this many pieces, some milliseconds of work, the event loop gets a turn. */
const PIECES_A_TURN = 8;

/**
 * Fills pieces with operations, in order, each preceded by its length. All of them are one piece if they fit into one
 * call; else an operation larger than a piece has a piece of its own.
 *
 * @param maxCallBytes most bytes of one call
 * @param onOperation called with each operation before it is added
 * @param yieldToEventLoop called after every few pieces
 */
export async function fillPieces(
  operations: Iterable<Operation>,
  maxCallBytes: number,
  onOperation: (operation: Operation, bytes: number) => void,
  yieldToEventLoop: () => Promise<void>,
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
      if (pieces.length > 0 && pieces.length % PIECES_A_TURN === 0) await yieldToEventLoop();
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
