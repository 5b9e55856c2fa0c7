/** A Redis command with its arguments, or `ROWS`, which the scripts know. */
export type Command = readonly [name: string, ...args: string[]];

/** What Redis reads besides an argument: its length, and two line ends. */
const ARGUMENT_OVERHEAD = 16;

/** Roughly what a command takes on the way to Redis, and there in the journal. */
export function bytesOf(args: readonly string[]): number {
  let bytes = args.length * ARGUMENT_OVERHEAD;
  for (const arg of args) bytes += Buffer.byteLength(arg);
  return bytes;
}
