const LINE_END_LENGTH = 2;
/** Types of RESP2 and RESP3 that are one line; that are a string of known length; that hold other replies. */
const LINES = "+-:_#,(";
const STRINGS = "$!=";
const LISTS = "*~>%";
const WHOLE_NUMBER = /^-?\d{1,15}$/;

/**
 * Finds where replies of Redis end, in a stream that is cut anywhere. It reads texts of Latin-1, which have a character for
 * each byte.
 */
export class ReplySkipper {
  /** Replies that are still to end: the one that has begun, and what is nested in it. */
  #open = 0;
  /** Bytes that are still to come of a string of known length, with its line end. */
  #bytes = 0;
  /** The first part of a line whose end is still to come. */
  #line = "";

  /** Whether a reply has begun that has not ended. */
  get within(): boolean {
    return this.#open > 0;
  }

  /**
   * Continues the reply that has begun, or begins one.
   *
   * @returns where it ends, or the length of the text if it continues after that; undefined: this is no reply that is known
   */
  skip(text: string, from: number): number | undefined {
    let at = from;
    if (this.#open === 0) this.#open = 1;
    while (this.#open > 0) {
      if (this.#bytes > 0) {
        const passed = Math.min(this.#bytes, text.length - at);
        at += passed;
        this.#bytes -= passed;
        if (this.#bytes > 0) return at;
        this.#open -= 1;
        continue;
      }
      const end = text.indexOf("\n", at);
      if (end < 0) {
        this.#line += text.slice(at);
        return this.#line === "" || isType(this.#line.charAt(0)) ? text.length : undefined;
      }
      const line = this.#line + text.slice(at, end);
      this.#line = "";
      if (!line.endsWith("\r") || !this.#header(line.slice(0, -1))) return undefined;
      at = end + 1;
    }
    return at;
  }

  /** @param line without its line end @returns whether it is known */
  #header(line: string): boolean {
    const kind = line.charAt(0);
    if (!isType(kind)) return false;
    if (LINES.includes(kind)) {
      this.#open -= 1;
      return true;
    }
    const rest = line.slice(1);
    if (!WHOLE_NUMBER.test(rest)) return false;
    const count = Number(rest);
    if (count < 0) this.#open -= 1;
    else if (STRINGS.includes(kind)) this.#bytes = count + LINE_END_LENGTH;
    else this.#open += (kind === "%" ? 2 * count : count) - 1;
    return true;
  }
}

function isType(kind: string): boolean {
  return kind !== "" && `${LINES}${STRINGS}${LISTS}`.includes(kind);
}
