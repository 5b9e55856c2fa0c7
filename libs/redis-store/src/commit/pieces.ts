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

/** Fills pieces with commands, in order; a command beyond the size of a piece has one of its own. */
export function fillPieces(
  commands: Iterable<Command>,
  onCommand: (command: Command, bytes: number) => void,
): Piece[] {
  const pieces: Piece[] = [];
  let piece: Piece | undefined;
  for (const command of commands) {
    const bytes = bytesOf(command);
    onCommand(command, bytes);
    if (piece === undefined || !fits(piece, { args: [...command], bytes })) {
      piece = { args: [], bytes: 0 };
      pieces.push(piece);
    }
    piece.args.push(String(command.length), ...command);
    piece.bytes += bytes;
  }
  return pieces;
}

/** Whether one call can carry both. */
export function fits(one: Piece, other: Piece): boolean {
  return one.args.length + other.args.length <= PIECE_ARGS && one.bytes + other.bytes <= PIECE_BYTES;
}
