/** Where the demo talks to people: a stream that may be a terminal. */
export interface ScreenStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  /** How many characters fit on a line of the terminal. */
  readonly columns?: number;
  hasColors?(): boolean;
}

/** ANSI codes that begin and end a style. */
const STYLES = { bold: [1, 22], dim: [2, 22], cyan: [36, 39], green: [32, 39], red: [31, 39] } as const;

/** How text is set off on a terminal with colours. */
export type Style = keyof typeof STYLES;

/** Lines of text above one line that changes in place; without a terminal that line is left out. */
export class Screen {
  readonly #stream: ScreenStream;
  readonly #colours: boolean;
  #status = "";

  constructor(stream: ScreenStream) {
    this.#stream = stream;
    this.#colours = stream.isTTY === true && stream.hasColors?.() === true;
  }

  line(text = ""): void {
    this.#stream.write(`${this.#clear()}${text}\n${this.#status}`);
  }

  /** Replaces the last line. What does not fit is cut off: of a line that wraps only the end could be cleared. */
  status(text: string): void {
    if (this.#stream.isTTY !== true) return;
    const clear = this.#clear();
    this.#status = text.slice(0, Math.max(0, (this.#stream.columns ?? Infinity) - 1));
    this.#stream.write(clear + this.#status);
  }

  style(style: Style, text: string): string {
    const [begin, end] = STYLES[style];
    return this.#colours ? `\u001b[${begin}m${text}\u001b[${end}m` : text;
  }

  #clear(): string {
    return this.#status === "" ? "" : "\r\u001b[K";
  }
}
