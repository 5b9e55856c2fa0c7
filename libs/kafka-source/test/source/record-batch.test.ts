import { describe, expect, it } from "@jest/globals";
import { crc32c, encodeRecordBatchSync } from "@kafkats/client";
import fc from "fast-check";
import { committedBatches } from "../../src/source/committed-batches.ts";
import { RecordCursor, checkBatch, readBatchHeader, storedRecords } from "../../src/source/record-batch.ts";

interface Batch {
  readonly offset: number;
  readonly values: readonly string[];
  readonly producerId?: number;
  /** How the transaction of the producer ended: a batch of its own. */
  readonly marker?: "abort" | "commit";
  readonly transactional?: boolean;
}

/** A batch as a broker stores it, by the client's own encoder. */
function encoded({ offset, values, producerId = -1, marker, transactional = false }: Batch): Buffer {
  const key = marker === undefined ? null : Buffer.from([0, 0, 0, marker === "abort" ? 0 : 1]);
  const control = marker !== undefined;
  return encodeRecordBatchSync(
    {
      baseOffset: BigInt(offset),
      ...{ partitionLeaderEpoch: 0, magic: 2, attributes: 0, producerEpoch: 0, baseSequence: 0 },
      lastOffsetDelta: values.length - 1,
      baseTimestamp: 1_000n,
      maxTimestamp: 1_000n,
      producerId: BigInt(producerId),
      records: values.map((value, i) => ({
        ...{ attributes: 0, timestampDelta: i, offsetDelta: i, key, headers: [] },
        value: Buffer.from(value),
      })),
    },
    { isControlBatch: control, isTransactional: transactional || control },
  );
}

function deliveredOf(records: Buffer, aborted: { producerId: bigint; firstOffset: number }[]): string[] {
  return [...committedBatches({ records, aborted })]
    .filter(({ delivered }) => delivered)
    .flatMap((batch) => {
      const cursor = new RecordCursor(storedRecords(records, batch), batch);
      const values: string[] = [];
      while (cursor.next()) values.push(`${cursor.offset}:${String(cursor.value)}`);
      return values;
    });
}

describe("a batch of records", () => {
  it("is read as the client writes it: keys, values, headers, times and offsets", () => {
    const text = fc.string({ maxLength: 200, unit: "grapheme" });
    const record = fc.record({
      key: fc.option(text),
      value: fc.option(text),
      headers: fc.dictionary(text, text, { maxKeys: 3, noNullPrototype: true }),
      timestampDelta: fc.integer({ min: -100_000, max: 2 ** 40 }),
      gap: fc.nat(3),
    });
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 20 }), fc.nat(2 ** 40), (given, base) => {
        let delta = -1;
        const records = given.map(({ key, value, headers, timestampDelta, gap }) => ({
          attributes: 0,
          timestampDelta,
          // Compaction leaves gaps.
          offsetDelta: (delta += 1 + gap),
          key: key === null ? null : Buffer.from(key),
          value: value === null ? null : Buffer.from(value),
          headers: Object.entries(headers).map(([name, of]) => ({ key: name, value: Buffer.from(of) })),
        }));
        const bytes = encodeRecordBatchSync({
          baseOffset: BigInt(base),
          ...{ partitionLeaderEpoch: 0, magic: 2, attributes: 0, producerEpoch: -1, baseSequence: -1 },
          ...{ baseTimestamp: 1_763_848_800_123n, maxTimestamp: 0n, producerId: -1n },
          lastOffsetDelta: delta,
          records,
        });
        const batch = readBatchHeader(Buffer.concat([Buffer.alloc(3), bytes]), 3);
        if (batch === undefined) throw new Error("no batch");
        expect(batch.endOffset).toBe(base + delta + 1);
        const cursor = new RecordCursor(storedRecords(bytes, { ...batch, from: 0, to: bytes.length }), batch);
        given.forEach(({ key, value, headers, timestampDelta }, i) => {
          expect(cursor.next()).toBe(true);
          // Headers first: they must not depend on what was read before.
          expect(cursor.headers).toEqual(headers);
          expect(cursor.key?.toString() ?? null).toBe(key === null ? null : Buffer.from(key).toString());
          expect(cursor.value?.toString() ?? null).toBe(
            value === null ? null : Buffer.from(value).toString(),
          );
          expect(cursor.offset).toBe(base + (records[i]?.offsetDelta ?? 0));
          expect(cursor.time).toBe(1_763_848_800_123 + timestampDelta);
        });
        expect(cursor.next()).toBe(false);
      }),
      { numRuns: 40 },
    );
  });

  it("that is cut off is not there, and one that is damaged is refused", () => {
    const bytes = encoded({ offset: 0, values: ["a", "b"] });
    expect(readBatchHeader(bytes.subarray(0, 60), 0)).toBeUndefined();
    expect(readBatchHeader(bytes.subarray(0, -1), 0)).toBeUndefined();
    const batch = readBatchHeader(bytes, 0);
    if (batch === undefined) throw new Error("no batch");
    const checksumOf = (of: Buffer, from: number, to: number): number => crc32c(of, from, to - from);
    expect(() => {
      checkBatch(bytes, batch, checksumOf);
    }).not.toThrow();
    bytes[65] = (bytes[65] ?? 0) ^ 1;
    expect(() => {
      checkBatch(bytes, batch, checksumOf);
    }).toThrow("The records from offset 0 on are damaged");
  });

  it("in the format of before Kafka 0.11 is refused with the remedy", () => {
    const bytes = encoded({ offset: 0, values: ["a"] });
    bytes[16] = 1;
    expect(() => readBatchHeader(bytes, 0)).toThrow("Copy them into a new topic");
  });
});

describe("the batches of an answer", () => {
  it("are without those of aborted transactions, whatever part of these is in the answer", () => {
    // Producer 1 aborts, then commits; 2 has an open end in the answer; 3 has no transaction.
    const log: readonly Batch[] = [
      { offset: 0, values: ["1 aborted"], producerId: 1, transactional: true },
      { offset: 1, values: ["3 plain"], producerId: 3 },
      { offset: 2, values: ["1 aborted"], producerId: 1, transactional: true },
      { offset: 3, values: ["2 aborted"], producerId: 2, transactional: true },
      { offset: 4, values: [""], producerId: 1, marker: "abort" },
      { offset: 5, values: ["1 committed"], producerId: 1, transactional: true },
      { offset: 6, values: [""], producerId: 1, marker: "commit" },
      { offset: 7, values: ["2 aborted"], producerId: 2, transactional: true },
      { offset: 8, values: [""], producerId: 2, marker: "abort" },
      { offset: 9, values: ["2 plain"], producerId: 2 },
    ];
    const transactions = [
      { producerId: 1n, firstOffset: 0, end: 4 },
      { producerId: 2n, firstOffset: 3, end: 8 },
    ];
    for (let from = 0; from < log.length; from += 1) {
      for (let to = from + 1; to <= log.length; to += 1) {
        const records = Buffer.concat(log.slice(from, to).map(encoded));
        // A broker lists the transactions that reach into the answer.
        const aborted = transactions.filter(({ firstOffset, end }) => firstOffset < to && end >= from);
        const kept = log.slice(from, to).filter(({ values: [value = ""] }) => /plain|committed/.test(value));
        expect(deliveredOf(records, aborted)).toEqual(
          kept.map(({ offset, values: [value = ""] }) => `${offset}:${value}`),
        );
      }
    }
  });
});
