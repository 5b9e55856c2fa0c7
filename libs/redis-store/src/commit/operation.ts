/** One of the operations that `scripts/operations.ts` lists, with its arguments: its key first. */
export type Operation = readonly [
  name:
    | "DROP"
    | "PUT"
    | "DELETE"
    | "ENTRY"
    | "ROWS"
    | "CORRECT"
    | "VOID"
    | "EXPIRE"
    | "PUBLISH"
    | "SPUBLISH"
    | "WATERMARK",
  key: string,
  ...args: string[],
];

/** What Redis reads besides an argument: its length, and two line ends. */
const ARGUMENT_OVERHEAD = 16;
/** Operations on many fields are kept well below what one script call carries, so that calls can be filled evenly. */
const FEW_ARGS = 400;
const FEW_BYTES = 64 * 1_024;

/** Roughly what arguments take on the way to Redis, and there in the journal. */
export function bytesOf(args: readonly string[]): number {
  let bytes = args.length * ARGUMENT_OVERHEAD;
  for (const arg of args) bytes += Buffer.byteLength(arg);
  return bytes;
}

/** Divides items into runs that are short enough for one operation each; a large item has a run of its own. */
export function* inRuns(items: Iterable<readonly string[]>): Generator<string[]> {
  let run: string[] = [];
  let runBytes = 0;
  for (const item of items) {
    const size = bytesOf(item);
    if (run.length > 0 && (run.length + item.length > FEW_ARGS || runBytes + size > FEW_BYTES)) {
      yield run;
      run = [];
      runBytes = 0;
    }
    run.push(...item);
    runBytes += size;
  }
  if (run.length > 0) yield run;
}
