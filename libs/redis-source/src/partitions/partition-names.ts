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

/**
 * The part of a channel's or stream's name that decides its slot in a Redis Cluster, in braces: as prefix of other
 * keys it puts them into the same slot. It is the name's own tag if it has one, else the whole name.
 *
 * The rule is Redis Cluster's: the tag stands between the first `{` and the first `}` after it, unless that is
 * nothing.
 *
 * @throws RedisOptionsError for a name without tag that has a `}`: no other key can share its slot
 */
export function hashTag(name: string): string {
  const open = name.indexOf("{");
  const close = name.indexOf("}", open + 1);
  if (open >= 0 && close > open + 1) return name.slice(open, close + 1);
  if (name.includes("}")) {
    throw new RedisOptionsError(
      `No other key can be kept in the slot of "${name}", since a hash tag cannot hold a brace. Choose another name.`,
    );
  }
  return `{${name}}`;
}
