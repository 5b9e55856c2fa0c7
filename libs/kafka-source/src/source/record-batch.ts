import { KafkaRecordsError } from "../errors.ts";

/** Bytes of a batch before its records. */
const HEADER_BYTES = 61;
/** The version of the format, which has been the same since Kafka 0.11. */
const VERSION = 2;
const CODEC = 0b111;
const BY_BROKER = 0b1000;
const TRANSACTIONAL = 0b1_0000;
const CONTROL = 0b10_0000;

/** What a batch says of its records. */
export interface BatchHeader {
  /** Where the batch begins and ends in the bytes of an answer. */
  readonly from: number;
  readonly to: number;
  readonly firstOffset: number;
  /** The offset after the last one; there may be fewer records, since a topic may be compacted. */
  readonly endOffset: number;
  readonly count: number;
  /** How the records are compressed; 0: not at all. */
  readonly codec: number;
  /** The time of all records by the broker's clock; `undefined`: each has a time of its own, by its producer's clock. */
  readonly brokerTime: number | undefined;
  /** To which the times of the records are added. */
  readonly baseTime: number;
  readonly producerId: bigint;
  readonly transactional: boolean;
  /** Not data: how a transaction ended. */
  readonly control: boolean;
}

/** The header of the batch that begins at `from`; `undefined`: the batch is not there, or cut off. */
export function readBatchHeader(bytes: Buffer, from: number): BatchHeader | undefined {
  if (bytes.length - from < HEADER_BYTES) return undefined;
  const to = from + 12 + bytes.readInt32BE(from + 8);
  if (to > bytes.length) return undefined;
  const version = bytes[from + 16] ?? 0;
  if (version !== VERSION) {
    throw new KafkaRecordsError(
      `The topic has records in the format ${version} of Kafka before 0.11, which Millrace does not read. Copy them into a new topic.`,
    );
  }
  const attributes = bytes.readInt16BE(from + 21);
  const firstOffset = Number(bytes.readBigInt64BE(from));
  return {
    from,
    to,
    firstOffset,
    endOffset: firstOffset + bytes.readInt32BE(from + 23) + 1,
    count: bytes.readInt32BE(from + 57),
    codec: attributes & CODEC,
    brokerTime: (attributes & BY_BROKER) === 0 ? undefined : Number(bytes.readBigInt64BE(from + 35)),
    baseTime: Number(bytes.readBigInt64BE(from + 27)),
    producerId: bytes.readBigInt64BE(from + 43),
    transactional: (attributes & TRANSACTIONAL) !== 0,
    control: (attributes & CONTROL) !== 0,
  };
}

/** @throws KafkaRecordsError if the bytes of a batch are not those that the producer wrote */
export function checkBatch(
  bytes: Buffer,
  { from, to, firstOffset }: BatchHeader,
  checksumOf: (bytes: Buffer, from: number, to: number) => number,
): void {
  if (checksumOf(bytes, from + 21, to) === bytes.readUInt32BE(from + 17)) return;
  throw new KafkaRecordsError(
    `The records from offset ${firstOffset} on are damaged: their checksum differs. Check the disks of the brokers.`,
  );
}

/** The records of a batch as they are stored, perhaps compressed. */
export function storedRecords(bytes: Buffer, { from, to }: BatchHeader): Buffer {
  return bytes.subarray(from + HEADER_BYTES, to);
}

/** Walks through the records of a batch. One object shows each in turn: this runs for every record. */
export class RecordCursor {
  readonly #bytes: Buffer;
  readonly #batch: BatchHeader;
  #left: number;
  /** Where the next record begins. */
  #next = 0;
  #at = 0;
  #keyAt = 0;
  #keyLength = 0;
  #valueAt = 0;
  #valueLength = 0;
  #headersAt = 0;
  /** Of the record that is shown. */
  offset = 0;
  /** Of the record that is shown: ms since the epoch, or -1. */
  time = 0;

  /** @param bytes of the records, not compressed */
  constructor(bytes: Buffer, batch: BatchHeader) {
    this.#bytes = bytes;
    this.#batch = batch;
    this.#left = batch.count;
  }

  /** Shows the next record. @returns `false`: there is none @throws KafkaRecordsError */
  next(): boolean {
    if (this.#left === 0) return false;
    this.#left -= 1;
    this.#at = this.#next;
    const length = this.#number();
    this.#next = this.#at + length;
    if (length < 0 || this.#next > this.#bytes.length) throw cutOff(this.#batch);
    // One byte of attributes, which have no meaning yet.
    this.#at += 1;
    const { brokerTime, baseTime, firstOffset } = this.#batch;
    const time = this.#number();
    this.time = brokerTime ?? baseTime + time;
    this.offset = firstOffset + this.#number();
    this.#keyLength = this.#number();
    this.#keyAt = this.#at;
    this.#at += Math.max(this.#keyLength, 0);
    this.#valueLength = this.#number();
    this.#valueAt = this.#at;
    this.#headersAt = this.#at + Math.max(this.#valueLength, 0);
    return true;
  }

  /** The memory is that of the answer. */
  get key(): Buffer | undefined {
    return this.#keyLength < 0 ? undefined : this.#part(this.#keyAt, this.#keyLength);
  }

  /** The memory is that of the answer. `undefined`: the record deletes its key from a compacted topic. */
  get value(): Buffer | undefined {
    return this.#valueLength < 0 ? undefined : this.#part(this.#valueAt, this.#valueLength);
  }

  get valueBytes(): number {
    return Math.max(this.#valueLength, 0);
  }

  /** As text. Of headers with the same name it is the last one. */
  get headers(): Readonly<Record<string, string>> {
    this.#at = this.#headersAt;
    const headers: (readonly [name: string, value: string])[] = [];
    for (let left = this.#number(); left > 0; left -= 1) {
      const name = this.#text();
      headers.push([name, this.#text()]);
    }
    return Object.fromEntries(headers);
  }

  #text(): string {
    const length = Math.max(this.#number(), 0);
    const text = this.#bytes.toString("utf8", this.#at, this.#at + length);
    this.#at += length;
    return text;
  }

  #part(from: number, length: number): Buffer {
    return this.#bytes.subarray(from, from + length);
  }

  /** A number in as few bytes as it needs, the lowest seven bits first; even ones are positive. */
  #number(): number {
    const bytes = this.#bytes;
    let byte = bytes[this.#at++] ?? 0;
    let number = byte & 0x7f;
    let factor = 0x80;
    while (byte >= 0x80) {
      byte = bytes[this.#at++] ?? 0;
      number += (byte & 0x7f) * factor;
      factor *= 0x80;
    }
    return number % 2 === 0 ? number / 2 : -(number + 1) / 2;
  }
}

/** Whether a control batch says that its producer's transaction was aborted, and not committed. */
export function isAbort(bytes: Buffer, batch: BatchHeader): boolean {
  const cursor = new RecordCursor(storedRecords(bytes, batch), batch);
  const key = cursor.next() ? cursor.key : undefined;
  return key !== undefined && key.length >= 4 && key.readInt16BE(2) === 0;
}

function cutOff({ firstOffset }: BatchHeader): KafkaRecordsError {
  return new KafkaRecordsError(
    `The records from offset ${firstOffset} on are damaged: one of them is longer than its batch.`,
  );
}
