import { TDigest } from "tdigest";

import type { Fold, Json } from "../../src/index.ts";

interface Centroid {
  readonly mean: number;
  readonly n: number;
}

/** Quantiles of a number of each event, from a t-digest: a few hundred centroids whatever the number of events. */
export function quantiles<V>(
  valueOf: (value: V) => number,
  ranks: readonly number[],
): Fold<V, TDigest, readonly number[]> {
  return {
    create: () => new TDigest(),
    add(digest, value) {
      digest.push(valueOf(value));
      return digest;
    },
    merge(earlier, later) {
      earlier.push_centroid(later.toArray());
      return earlier;
    },
    result: (digest) => ranks.map((rank) => digest.percentile(rank)),
    snapshot: (digest) => digest.toArray().map(({ mean, n }): Json => ({ mean, n })),
    restore(state) {
      const digest = new TDigest();
      digest.push_centroid(state as unknown as Centroid[]);
      return digest;
    },
  };
}
