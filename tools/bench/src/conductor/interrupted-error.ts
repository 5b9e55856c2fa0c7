/** A benchmark was stopped before it had all its figures. */
export class BenchInterruptedError extends Error {
  static readonly code = "MILLRACE_BENCH_INTERRUPTED";
  readonly code: string = BenchInterruptedError.code;

  constructor() {
    super("The benchmark was interrupted. What is not printed yet was not measured: run it again.");
    this.name = "BenchInterruptedError";
  }
}
