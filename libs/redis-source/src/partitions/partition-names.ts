import { RedisOptionsError } from "../errors.ts";

/** The number of slots of a Redis Cluster: more partitions than that could never be spread. */
const MAX_PARTITIONS = 16_384;

/** The name of a channel or stream, or of several, each of which is a partition. */
export type Names = string | readonly string[];

/**
 * The partitions of one name ({@link partitionNames}), or of several, which are the partitions themselves.
 *
 * @throws RedisOptionsError
 */
export function partitionsOf(names: Names, partitions = 1): readonly string[] {
  const list = typeof names === "string" ? [names] : names;
  const [first] = list;
  if (first !== undefined && list.length === 1) return partitionNames(first, partitions);
  if (partitions !== 1) {
    throw new RedisOptionsError(
      `Several channels or streams are a partition each: give one name with partitions, or ${list.join(", ")} without.`,
    );
  }
  if (list.length === 0 || list.includes("") || new Set(list).size !== list.length) {
    throw new RedisOptionsError(
      `Channels and streams have names that differ and are not empty, at least one; here: ${JSON.stringify(list)}.`,
    );
  }
  const braced = list.find((name) => list.includes(`{${name}}`));
  if (braced !== undefined) {
    throw new RedisOptionsError(
      `"${braced}" and "{${braced}}" cannot be read by one flow: a store gives both tasks the same keys. Leave one out.`,
    );
  }
  return [...list];
}

/**
 * The names of a channel's or stream's partitions: with one partition the name itself, so that an existing channel can be
 * used as it is; with more `{name:0}` to `{name:<partitions - 1>}`. The braces make each name its own hash tag: a Redis
 * Cluster spreads the partitions, and keys that belong to one carry its tag ({@link hashTag}).
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
      `"${name}" cannot have several partitions: Redis would read the braces in it as a hash tag. Leave them out.`,
    );
  }
  return Array.from({ length: partitions }, (_, index) => `{${name}:${index}}`);
}

/**
 * The part of a channel's or stream's name that decides its slot in a Redis Cluster, in braces. As a prefix of other keys
 * it puts them into the same slot. It is the name's own tag if it has one, else the whole name.
 *
 * The rule is Redis Cluster's: the tag is the text between the first `{` and the first `}` after it, unless that is
 * empty.
 *
 * @throws RedisOptionsError for a name without tag that has a `}`: no other key can share its slot
 */
export function hashTag(name: string): string {
  const open = name.indexOf("{");
  const close = name.indexOf("}", open + 1);
  if (open >= 0 && close > open + 1) return name.slice(open, close + 1);
  if (name.includes("}")) {
    throw new RedisOptionsError(
      `No other key can share the slot of "${name}", since a hash tag cannot hold a brace. Choose another name.`,
    );
  }
  return `{${name}}`;
}
