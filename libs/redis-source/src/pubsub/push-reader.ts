import { isAscii } from "node:buffer";
import { MESSAGE_LIMITS } from "../wire/frame.ts";
import { ReplySkipper } from "./reply-skipper.ts";

/** A message: text if it is ASCII, else its bytes. */
export type Message = string | Buffer;

/** Gets what a {@link PushReader} reads, in the order of the bytes. */
export interface Receiver {
  /** Messages of the channel. Bytes belong to the socket: they must be copied to be kept. */
  messages(messages: readonly Message[]): void;
  /** Whole replies, or parts of them, that are not messages of the channel. */
  others(bytes: Buffer): void;
  /** This and all bytes after it are not known: from now on nothing is read here. */
  unknown(bytes: Buffer): void;
}

/** What is read. */
export interface PushReaderOptions {
  readonly channel: string;
  readonly sharded: boolean;
  /**
   * Whether texts may be cut out of the text of all bytes that came together, which saves a copy of each, but keeps that
   * text in memory for as long as any of them is.
   */
  readonly cut: boolean;
}

const RETURN = 0x0d;
const ZERO = 0x30;
/** The line end after a payload. */
const END_LENGTH = 2;

/**
 * Takes the messages of one channel out of what a subscribed connection receives. Everything else is handed on unchanged:
 * answers, confirmations, errors, messages of other channels, and messages longer than a message may be.
 *
 * It begins between two replies. Chunks may be cut anywhere; only the beginning of a message of the channel is kept until
 * the rest of it comes.
 */
export class PushReader {
  readonly #receiver: Receiver;
  readonly #cut: boolean;
  /** All of a message of the channel before the digits of its length: as RESP2 and as RESP3 write it. */
  readonly #heads: readonly string[];
  readonly #head: RegExp;
  readonly #skipper = new ReplySkipper();
  /** The beginning of a message, and the length of the whole; without it the head is not complete. */
  #kept: { readonly chunks: Buffer[]; bytes: number; readonly whole: number | undefined } | undefined;
  #from = 0;
  #to = 0;
  #isUnknown = false;

  constructor({ channel, sharded, cut }: PushReaderOptions, receiver: Receiver) {
    const name = Buffer.from(channel).toString("latin1");
    const kind = sharded ? "smessage" : "message";
    const body = `3\r\n$${kind.length}\r\n${kind}\r\n$${name.length}\r\n${name}\r\n$`;
    this.#heads = [`*${body}`, `>${body}`];
    this.#head = new RegExp(`[*>]${body.replace(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`)}`, "y");
    this.#cut = cut;
    this.#receiver = receiver;
  }

  /** @param chunk the next bytes of the connection, which must not change while a message is incomplete */
  read(chunk: Buffer): void {
    if (this.#isUnknown) {
      this.#receiver.unknown(chunk);
      return;
    }
    const kept = this.#kept;
    if (kept === undefined) {
      this.#scan(chunk);
      return;
    }
    if (kept.whole === undefined) {
      this.#kept = undefined;
      this.#scan(Buffer.concat([...kept.chunks, chunk]));
      return;
    }
    const missing = kept.whole - kept.bytes;
    kept.chunks.push(chunk.subarray(0, missing));
    kept.bytes += Math.min(missing, chunk.length);
    if (kept.bytes < kept.whole) return;
    this.#kept = undefined;
    this.#scan(Buffer.concat(kept.chunks));
    if (chunk.length > missing) this.read(chunk.subarray(missing));
  }

  #scan(bytes: Buffer): void {
    const text = bytes.toString("latin1");
    const bounds: number[] = [];
    let at = 0;
    while (at < text.length) {
      if (!this.#skipper.within) {
        const found = this.#messageAt(text, at);
        if (found === "message") {
          bounds.push(this.#from, this.#to);
          at = this.#to + END_LENGTH;
          continue;
        }
        if (found === "beginning") {
          this.#keep(bytes.subarray(at), this.#to === 0 ? undefined : this.#to + END_LENGTH - at);
          break;
        }
      }
      this.#deliver(bytes, text, bounds);
      const end = this.#skipOthers(text, at);
      if (end === undefined) {
        this.#isUnknown = true;
        this.#receiver.unknown(bytes.subarray(at));
        return;
      }
      this.#receiver.others(bytes.subarray(at, end));
      at = end;
    }
    this.#deliver(bytes, text, bounds);
  }

  /**
   * What begins here: a message, whose payload is then between `#from` and `#to`; the beginning of one, which ends at `#to`
   * if that is not 0; or something else.
   */
  #messageAt(text: string, at: number): "message" | "beginning" | "other" {
    this.#to = 0;
    this.#head.lastIndex = at;
    if (!this.#head.test(text)) {
      return this.#heads.some((head) => text.length - at < head.length && head.startsWith(text.slice(at)))
        ? "beginning"
        : "other";
    }
    let length = 0;
    let digits = this.#head.lastIndex;
    for (; digits < text.length; digits += 1) {
      const code = text.charCodeAt(digits);
      if (code === RETURN) break;
      const digit = code - ZERO;
      if (digit < 0 || digit > 9) return "other";
      length = length * 10 + digit;
    }
    if (length > MESSAGE_LIMITS.maxBytes) return "other";
    this.#from = digits + END_LENGTH;
    if (this.#from > text.length) return "beginning";
    this.#to = this.#from + length;
    return this.#to + END_LENGTH > text.length ? "beginning" : "message";
  }

  /** Skips all replies up to the next message of the channel, or the end. */
  #skipOthers(text: string, from: number): number | undefined {
    let at = from;
    do {
      const end = this.#skipper.skip(text, at);
      if (end === undefined) return undefined;
      at = end;
    } while (at < text.length && this.#messageAt(text, at) === "other");
    return at;
  }

  #keep(bytes: Buffer, whole: number | undefined): void {
    this.#kept = { chunks: [bytes], bytes: bytes.length, whole };
  }

  /** Delivers the messages within these bounds, and removes the bounds. */
  #deliver(bytes: Buffer, text: string, bounds: number[]): void {
    if (bounds.length === 0) return;
    const messages: Message[] = [];
    this.#add(messages, bytes, text, bounds, 0, bounds.length);
    bounds.length = 0;
    this.#receiver.messages(messages);
  }

  /** Adds some of the messages: all of them as texts if they are ASCII, else each half by itself. */
  #add(
    messages: Message[],
    bytes: Buffer,
    text: string,
    bounds: readonly number[],
    first: number,
    end: number,
  ): void {
    const begin = bounds[first] ?? 0;
    const last = bounds[end - 1] ?? 0;
    if (isAscii(bytes.subarray(begin, last))) {
      for (let i = first; i < end; i += 2) {
        const [from, to] = [bounds[i] ?? 0, bounds[i + 1] ?? 0];
        messages.push(this.#cut ? text.slice(from, to) : bytes.toString("latin1", from, to));
      }
    } else if (end - first === 2) {
      messages.push(bytes.subarray(begin, last));
    } else {
      const middle = first + 2 * Math.floor((end - first) / 4);
      this.#add(messages, bytes, text, bounds, first, middle);
      this.#add(messages, bytes, text, bounds, middle, end);
    }
  }
}
