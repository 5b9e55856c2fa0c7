import { RedisOptionsError } from "../errors.ts";

/**
 * The part of a channel's or stream's name that decides its slot in a Redis Cluster, in braces: as prefix of other
 * keys it puts them into the same slot. It is the name's own tag if it has one, else the whole name.
 *
 * The rule is Redis Cluster's: the tag stands between the first `{` and the first `}` behind it, unless that is
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
