import { describe, expect, it } from "@jest/globals";
import type { Claim } from "../../src/assignment/division.ts";
import { decodeClaim, decodeShare, divide, encodeClaim, encodeShare } from "../../src/assignment/division.ts";

const range = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from }, (_, n) => from + n);

const claim = (keeps: readonly number[], closes: readonly number[] = [], leaves = false): Claim => ({
  keeps,
  closes,
  leaves,
});

const divided = (claims: Readonly<Record<string, Claim>>, partitions: number): object =>
  Object.fromEntries(divide(new Map(Object.entries(claims)), partitions));

describe("the division of partitions among members", () => {
  it("is even for members that have nothing", () => {
    const shares = divide(new Map(["a", "b", "c"].map((member) => [member, claim([])])), 8);
    expect([...shares.values()].map(({ length }) => length)).toEqual([3, 3, 2]);
    expect([...shares.values()].flat().sort()).toEqual(range(0, 8));
  });

  it("gives a new member nothing that another one still has, and moves the fewest", () => {
    expect(divided({ a: claim(range(0, 8)), b: claim([]) }, 8)).toEqual({ a: range(0, 4), b: [] });
    expect(divided({ a: claim(range(0, 4), range(4, 8)), b: claim([]) }, 8)).toEqual({
      a: range(0, 4),
      b: [],
    });
    expect(divided({ a: claim(range(0, 4)), b: claim([]) }, 8)).toEqual({ a: range(0, 4), b: range(4, 8) });
    expect(divided({ a: claim(range(0, 4)), b: claim(range(4, 8)), c: claim([]) }, 8)).toEqual({
      a: range(0, 3),
      b: range(4, 7),
      c: [],
    });
  });

  it("gives a member that leaves nothing, and its partitions to the others when they are closed", () => {
    const a = claim(range(0, 4));
    expect(divided({ a, b: claim([], range(4, 8), true) }, 8)).toEqual({ a: range(0, 4), b: [] });
    expect(divided({ a, b: claim([], [7], true) }, 8)).toEqual({ a: range(0, 7), b: [] });
    expect(divided({ b: claim([], [], true) }, 8)).toEqual({ b: [] });
  });

  it("takes a partition that two have from one of them", () => {
    expect(divided({ a: claim([0, 1]), b: claim([1, 2]) }, 4)).toEqual({ a: [0, 1], b: [2, 3] });
  });

  it("leaves members beyond the partitions with none, and knows no partition that the topic has not", () => {
    expect(divided({ a: claim([0]), b: claim([]) }, 1)).toEqual({ a: [0], b: [] });
    expect(divided({ a: claim([0, 5]) }, 2)).toEqual({ a: [0, 1] });
  });

  it("is sent as it was made", () => {
    const made = claim([1, 2], [3], true);
    expect(decodeClaim(encodeClaim("clicks", made))).toEqual(made);
    expect(decodeShare("clicks", encodeShare("clicks", [0, 7, 256]))).toEqual([0, 7, 256]);
    expect(decodeShare("clicks", encodeShare("clicks", []))).toEqual([]);
    expect(decodeShare("clicks", Buffer.alloc(0))).toEqual([]);
    expect(decodeShare("orders", encodeShare("clicks", [0]))).toEqual([]);
  });
});
