import { bytesOf } from "./command.ts";
import type { Command } from "./command.ts";

/** What one call of a script carries: it keeps Redis busy for two or three milliseconds. */
const PIECE_ARGS = 2_000;
const PIECE_BYTES = 256 * 1_024;

/** Commands for one call of a script, each preceded by its length. */
export interface Piece {
  readonly args: string[];
  bytes: number;
}

/** After so many pieces, some milliseconds of work, others get their turn. */
const PIECES_A_TURN = 8;

/**
 * Fills pieces with commands, in order; a command beyond the size of a piece has one of its own.
 *
 * @param onCommand is told each command before it is taken
 * @param breathe lets the event loop turn
 */
export async function fillPieces(
  commands: Iterable<Command>,
  onCommand: (command: Command, bytes: number) => void,
  breathe: () => Promise<void>,
): Promise<readonly Piece[]> {
  const pieces: Piece[] = [];
  let piece: Piece | undefined;
  for (const command of commands) {
    const bytes = bytesOf(command);
    onCommand(command, bytes);
    if (piece === undefined || !fits(piece, command.length + 1, bytes)) {
      if (pieces.length > 0 && pieces.length % PIECES_A_TURN === 0) await breathe();
      piece = { args: [], bytes: 0 };
      pieces.push(piece);
    }
    piece.args.push(String(command.length), ...command);
    piece.bytes += bytes;
  }
  return pieces;
}

/** Whether one call can carry so much more. */
export function fits(piece: Piece, args: number, bytes: number): boolean {
  return piece.args.length + args <= PIECE_ARGS && piece.bytes + bytes <= PIECE_BYTES;
}
