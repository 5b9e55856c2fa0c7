/**
 * Lines of a log on a stream that is not ours. The log must not decide the fate of the work: a line that cannot be
 * written, since the disk is full or the reader has gone, is counted, and no more comes of it.
 */
export class LogLines {
  readonly #stream: () => NodeJS.WriteStream;
  #listening = false;
  #lost = 0;

  /** @param stream is opened by looking at it, so it is asked for with the first line */
  constructor(stream: () => NodeJS.WriteStream) {
    this.#stream = stream;
  }

  /** Lines that could not be written so far. */
  get lost(): number {
    return this.#lost;
  }

  get isTTY(): boolean {
    return this.#stream().isTTY;
  }

  /** Writes a line; one that cannot be written is counted. */
  write(line: string): void {
    try {
      const stream = this.#stream();
      // Without a listener the error of a write would end the process.
      if (!this.#listening) stream.on("error", () => undefined);
      this.#listening = true;
      stream.write(line, (error) => {
        if (error) this.#lost += 1;
      });
    } catch {
      // A file is written at once, and the error of that may be thrown instead of handed over.
      this.#lost += 1;
    }
  }
}

/** Standard error. */
export const STDERR_LINES: LogLines = new LogLines(() => process.stderr);
