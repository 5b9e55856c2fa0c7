import type { AbortedTransaction, PartitionAnswer } from "../connection/kafka-client.ts";
import { isAbort, readBatchHeader } from "./record-batch.ts";
import type { BatchHeader } from "./record-batch.ts";

/** A batch, and whether its records count. */
export interface CommittedBatch extends BatchHeader {
  /** `false`: its transaction was aborted, or it has no data. Only the position moves past it. */
  readonly delivered: boolean;
}

/**
 * The batches of an answer, in order, without those of aborted transactions. A read of what is committed gets these as
 * well: the answer only says which transactions that reach into it were aborted, and where they began. Each answer says it
 * anew, so a transaction may span any number of them.
 */
export function* committedBatches({
  records,
  aborted,
}: Pick<PartitionAnswer, "records" | "aborted">): Generator<CommittedBatch, void, undefined> {
  const begun = aborted.toSorted(byFirstOffset);
  const aborting = new Set<bigint>();
  let next = 0;
  for (
    let batch = readBatchHeader(records, 0);
    batch !== undefined;
    batch = readBatchHeader(records, batch.to)
  ) {
    for (let begins = begun[next]; begins !== undefined; begins = begun[next]) {
      if (begins.firstOffset >= batch.endOffset) break;
      aborting.add(begins.producerId);
      next += 1;
    }
    if (batch.control) {
      if (isAbort(records, batch)) aborting.delete(batch.producerId);
      yield { ...batch, delivered: false };
    } else {
      const delivered = !(batch.transactional && aborting.has(batch.producerId));
      yield { ...batch, delivered };
    }
  }
}

function byFirstOffset(a: AbortedTransaction, b: AbortedTransaction): number {
  return a.firstOffset - b.firstOffset;
}
