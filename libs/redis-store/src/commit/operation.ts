/** One of the operations in `scripts/operations.ts`, with its arguments, the key first. */
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

/** The bytes that Redis reads besides an argument: its length, and two line ends. */
const ARGUMENT_OVERHEAD = 16;
/** Operations on many fields stay well below the size of one script call, so that calls can be filled evenly. */
const FEW_ARGS = 400;
const FEW_BYTES = 64 * 1_024;

/** The approximate size of arguments, when sent to Redis and in the journal there. */
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
