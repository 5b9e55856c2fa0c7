import type { DeadLetter as Letter } from "@millrace/dataflow";
import type { DeadLetter, DeadLetters } from "../api/schemas.ts";

const KEPT = 100;
const MAX_REASONS = 100;
/** Under this name further reasons are counted. */
const OTHER = "other";
const PAYLOAD_LENGTH = 1_000;
const MESSAGE_LENGTH = 500;

/** The newest dead letters of a run, and how many there were of each reason. */
export class DeadLetterBook {
  #total = 0;
  readonly #reasons = new Map<string, number>();
  /** A ring: the letter with number n is at n % KEPT. */
  readonly #letters: DeadLetter[] = [];

  get total(): number {
    return this.#total;
  }

  put({ step, part, reason, payload }: Letter, at: number): void {
    this.#total += 1;
    const known = this.#reasons.has(reason.code) || this.#reasons.size < MAX_REASONS;
    const code = known ? reason.code : OTHER;
    this.#reasons.set(code, (this.#reasons.get(code) ?? 0) + 1);
    const number = this.#total;
    const message = excerpt(reason.message, MESSAGE_LENGTH);
    const letter = { number, at, step, part, code, message, payload: excerpt(payload, PAYLOAD_LENGTH) };
    this.#letters[number % KEPT] = letter;
  }

  view(): DeadLetters {
    const letters = this.#letters.filter(Boolean).sort((a, b) => b.number - a.number);
    return { total: this.#total, reasons: Object.fromEntries(this.#reasons), letters };
  }
}

/** A copy: a substring would keep the whole text in memory. */
function excerpt(text: string, length: number): string {
  return text.length <= length ? text : Buffer.from(text.slice(0, length)).toString();
}
