import { styleText } from "node:util";

/** Where the demo talks to people: a stream that may be a terminal. */
export interface ScreenStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  hasColors?(): boolean;
}

/** How text is set off on a terminal with colours. */
export type Style = "bold" | "dim" | "cyan" | "green" | "red" | "yellow";

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

  /** Replaces the last line. */
  status(text: string): void {
    if (this.#stream.isTTY !== true) return;
    const clear = this.#clear();
    this.#status = text;
    this.#stream.write(clear + text);
  }

  style(style: Style, text: string): string {
    return this.#colours ? styleText(style, text) : text;
  }

  #clear(): string {
    return this.#status === "" ? "" : "\r\u001b[K";
  }
}
