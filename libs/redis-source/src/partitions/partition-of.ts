import { crc32 } from "node:zlib";

/**
 * The partition where events with this key go: CRC-32 (IEEE 802.3, as in zlib, PNG and gzip) of the key in UTF-8,
 * modulo the number of partitions. Every language's standard library has it, so publishers in any of them agree.
 *
 * @param partitions 1 or more
 */
export function partitionOf(key: string, partitions: number): number {
  return partitions === 1 ? 0 : crc32(key) % partitions;
}
