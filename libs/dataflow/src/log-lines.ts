/**
 * Lines of a log on a stream that we do not own. Logging must not make the work fail: a line that cannot be written,
 * since the disk is full or the reader has gone, is only counted.
 */
export class LogLines {
  readonly #stream: () => NodeJS.WriteStream;
  #listening = false;
  #lost = 0;

  /** @param stream is called with the first line, since looking at a process stream opens it */
  constructor(stream: () => NodeJS.WriteStream) {
    this.#stream = stream;
  }

  /** How many lines could not be written. */
  get lost(): number {
    return this.#lost;
  }

  get isTTY(): boolean {
    return this.#stream().isTTY;
  }

  /** Writes a line, or counts it if it cannot be written. */
  write(line: string): void {
    try {
      const stream = this.#stream();
      // Without a listener an error of a write would end the process.
      if (!this.#listening) stream.on("error", () => undefined);
      this.#listening = true;
      stream.write(line, (error) => {
        if (error) this.#lost += 1;
      });
    } catch {
      // A file is written synchronously, and its error may be thrown instead of passed to the callback.
      this.#lost += 1;
    }
  }
}

/** Standard error. */
export const STDERR_LINES: LogLines = new LogLines(() => process.stderr);
