/** Prints a value as one JSON line on standard output. */
export function printLine(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
