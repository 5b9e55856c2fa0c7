const SEED = 0x9747b28c | 0;
const FACTOR = 0x5bd1e995;
const SHIFT = 24;

/** The hash by which Java's producer divides keys among partitions: the variant of MurmurHash2 with 32 bits, signed. */
export function murmur2(key: Uint8Array): number {
  const { length } = key;
  let hash = SEED ^ length;
  let at = 0;
  for (; at + 4 <= length; at += 4) {
    let word =
      (key[at] ?? 0) | ((key[at + 1] ?? 0) << 8) | ((key[at + 2] ?? 0) << 16) | ((key[at + 3] ?? 0) << 24);
    word = Math.imul(word, FACTOR);
    word ^= word >>> SHIFT;
    word = Math.imul(word, FACTOR);
    hash = Math.imul(hash, FACTOR) ^ word;
  }
  const rest = length - at;
  if (rest >= 3) hash ^= (key[at + 2] ?? 0) << 16;
  if (rest >= 2) hash ^= (key[at + 1] ?? 0) << 8;
  if (rest >= 1) hash = Math.imul(hash ^ (key[at] ?? 0), FACTOR);
  hash = Math.imul(hash ^ (hash >>> 13), FACTOR);
  return hash ^ (hash >>> 15);
}

/** The partition in which Java's producer puts records with this key. */
export function partitionOfKey(key: Uint8Array, partitions: number): number {
  return (murmur2(key) & 0x7fff_ffff) % partitions;
}
