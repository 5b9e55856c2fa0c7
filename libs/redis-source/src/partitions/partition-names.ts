import { RedisOptionsError } from "../errors.ts";

/** More than a Redis Cluster has slots could never be spread. */
const MAX_PARTITIONS = 16_384;

/**
 * The names of a channel's or stream's partitions: with one partition the name itself, so that an existing one
 * serves as it is; with more `{name:0}` to `{name:<partitions - 1>}`. The braces make the name its own hash tag:
 * a Redis Cluster spreads the partitions, and keys that belong to one carry its tag ({@link hashTag}).
 *
 * @throws RedisOptionsError
 */
export function partitionNames(name: string, partitions: number): readonly string[] {
  if (name === "")
    throw new RedisOptionsError("Partitions are named after their channel or stream: give its name.");
  if (!Number.isSafeInteger(partitions) || partitions < 1 || partitions > MAX_PARTITIONS) {
    throw new RedisOptionsError(
      `partitions is ${partitions}. Give a whole number from 1 to ${MAX_PARTITIONS}.`,
    );
  }
  if (partitions === 1) return [name];
  if (/[{}]/.test(name)) {
    throw new RedisOptionsError(
      `"${name}" cannot have several partitions: braces in it would be taken for their hash tag. Leave them out.`,
    );
  }
  return Array.from({ length: partitions }, (_, index) => `{${name}:${index}}`);
}
