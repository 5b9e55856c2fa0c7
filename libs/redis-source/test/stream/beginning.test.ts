import { describe, expect, it } from "@jest/globals";
import { beginningOf } from "../../src/stream/beginning.ts";
import type { Beginning } from "../../src/stream/beginning.ts";
import type { StreamState } from "../../src/stream/stream-commands.ts";

const NOW = 100_000;
const START = new Date(20_000).toISOString();

/** A stream of which so many entries are left, and so many were trimmed. */
function stream(length: number, trimmed: number, firstId: string, lastId: string): StreamState {
  return { length, added: length + trimmed, firstId, lastId, deletedUpTo: "0-0" };
}

const EMPTY = stream(0, 0, "0-0", "0-0");

const begin = (start: string, state: StreamState): Beginning => beginningOf(start, state, NOW);

describe("the beginning at a time", () => {
  it("is the first entry that was added then or later, and windows that open then are whole", () => {
    const { position, gone } = begin(START, stream(9, 0, "10000-0", "30000-0"));
    expect(position).toMatchObject({ id: "19999-18446744073709551615", entries: null, wholeFrom: 20_000 });
    expect(gone).toBeUndefined();
  });

  it("does not depend on the zone in which it is written", () => {
    const state = stream(9, 0, "10000-0", "30000-0");
    expect(begin("1970-01-01T02:00:20+02:00", state)).toEqual(begin(START, state));
  });

  it("leaves no window out if nothing was before", () => {
    expect(begin(START, stream(9, 0, "20000-0", "30000-0")).position.wholeFrom).toBeUndefined();
    expect(begin(START, EMPTY).position.wholeFrom).toBeUndefined();
    expect(begin(new Date(NOW + 1).toISOString(), EMPTY).position.wholeFrom).toBe(NOW + 1);
  });

  it("is not changed by what was trimmed before", () => {
    const { position, gone } = begin(START, stream(9, 4, "10000-0", "30000-0"));
    expect(position.wholeFrom).toBe(20_000);
    expect(gone).toBeUndefined();
  });

  it("moves to the first entry that is left if others may have been trimmed", () => {
    expect(begin(START, stream(9, 4, "25000-3", "30000-0"))).toMatchObject({
      position: { entries: 4, wholeFrom: 25_001 },
      gone: { entries: 4, from: 20_000, to: 25_001 },
    });
    expect(begin(START, stream(0, 4, "0-0", "25000-3")).position.wholeFrom).toBe(25_001);
    // All that were trimmed are from before.
    expect(begin(START, stream(0, 4, "0-0", "15000-3"))).toMatchObject({ position: { wholeFrom: 20_000 } });
  });
});

describe("the beginning after an entry", () => {
  it("leaves out windows that open in its millisecond, of which other entries may be left out", () => {
    const { position } = begin("20000-7", stream(9, 0, "10000-0", "30000-0"));
    expect(position).toMatchObject({ id: "20000-7", wholeFrom: 20_001 });
  });
});

it("leaves no window out at either end of the stream", () => {
  for (const start of ["earliest", "committed", "latest"]) {
    const { position, gone } = begin(start, stream(9, 4, "25000-3", "30000-0"));
    expect([position.wholeFrom, gone]).toEqual([undefined, undefined]);
  }
});
