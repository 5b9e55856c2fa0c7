/** The stream for the user, which may be a terminal. */
export interface ScreenStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  /** How many characters fit on a line of the terminal. */
  readonly columns?: number;
  hasColors?(): boolean;
}

/** ANSI codes that begin and end a style. */
const STYLES = { bold: [1, 22], dim: [2, 22], cyan: [36, 39], green: [32, 39], red: [31, 39] } as const;

/** Text styles on a terminal with colours. */
export type Style = keyof typeof STYLES;

/** Prints lines of text above a status line that changes in place; without a terminal there is no status line. */
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

  /** Replaces the status line. It is cut at the terminal's width: of a wrapped line only the end could be cleared. */
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
