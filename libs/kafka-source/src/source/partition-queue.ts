import type { PartitionAnswer } from "../connection/kafka-client.ts";
import { readBatchHeader } from "./record-batch.ts";
import type { Feed, Jump } from "./topic-reader.ts";

/** What was read of a partition and is not delivered yet, in order. */
export type Arrived =
  | { readonly kind: "records"; readonly answer: PartitionAnswer; readonly count: number }
  | { readonly kind: "jump"; readonly jump: Jump };

/** The queue of a partition between the reader, which fills it, and the task, which empties it. */
export class PartitionQueue implements Feed {
  readonly partition: number;
  readonly #mostBytes: number;
  readonly #items: Arrived[] = [];
  #topicId: string;
  #offset: number;
  #bytes = 0;
  #records = 0;
  #end = 0;
  #failure: Error | undefined;
  #arrived: (() => void) | undefined;
  /** Something happened since the last wait. */
  #awake = false;

  /** @param mostBytes beyond it no more is read until there is room */
  constructor(partition: number, topicId: string, offset: number, mostBytes: number) {
    this.partition = partition;
    this.#topicId = topicId;
    this.#offset = offset;
    this.#mostBytes = mostBytes;
  }

  get topicId(): string {
    return this.#topicId;
  }

  get offset(): number {
    return this.#offset;
  }

  get hasRoom(): boolean {
    return this.#bytes < this.#mostBytes;
  }

  /** Records that wait. */
  get records(): number {
    return this.#records;
  }

  /** The end of the log (high watermark) in the last answer. */
  get end(): number {
    return this.#end;
  }

  take(given: PartitionAnswer): void {
    const answer = { ...given, records: withoutTheRest(given.records) };
    this.#end = answer.highWatermark;
    let count = 0;
    let to = 0;
    for (let batch = readBatchHeader(answer.records, 0); batch !== undefined;) {
      this.#offset = Math.max(this.#offset, batch.endOffset);
      count += batch.count;
      to = batch.to;
      batch = readBatchHeader(answer.records, to);
    }
    if (to === 0) return;
    this.#bytes += answer.records.length;
    this.#records += count;
    this.#add({ kind: "records", answer, count });
  }

  jump(jump: Jump): void {
    this.#offset = jump.to;
    this.#topicId = jump.reset ?? this.#topicId;
    this.#add({ kind: "jump", jump });
  }

  fail(error: Error): void {
    this.#failure = error;
    this.wake();
  }

  /** Why the reader has given up; it matters after all that it had read. `undefined`: it has not. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Takes what arrived first; `undefined`: nothing has. */
  shift(): Arrived | undefined {
    const item = this.#items.shift();
    if (item?.kind === "records") {
      this.#bytes -= item.answer.records.length;
      this.#records -= item.count;
    }
    return item;
  }

  /** Resolves when something has arrived since the last call, or {@link wake} was called. */
  async arrival(): Promise<void> {
    if (!this.#awake) {
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
    this.#awake = false;
  }

  wake(): void {
    this.#awake = true;
    this.#arrived?.();
    this.#arrived = undefined;
  }

  #add(item: Arrived): void {
    this.#items.push(item);
    this.wake();
  }
}

/** The records are a part of what the broker sent for all partitions: a small part must not keep the rest in memory. */
function withoutTheRest(records: Buffer): Buffer {
  if (records.length * 2 >= records.buffer.byteLength) return records;
  const copy = Buffer.allocUnsafeSlow(records.length);
  records.copy(copy);
  return copy;
}
