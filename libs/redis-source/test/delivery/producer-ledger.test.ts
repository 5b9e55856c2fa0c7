import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { FrameHeader } from "../../src/delivery/frame-codec.ts";
import { ProducerLedger } from "../../src/delivery/producer-ledger.ts";
import { RedisPositionError } from "../../src/errors.ts";
import { stored } from "../support/stored.ts";

function frame(first: number, count: number, publishedAtMs: number, producer = "p"): FrameHeader {
  return { producer, first, count, publishedAtMs };
}

describe("numbers", () => {
  it("finds nothing strange in what follows on", () => {
    const ledger = new ProducerLedger();
    expect(ledger.accept(frame(0, 3, 10), 10)).toEqual({
      fresh: [{ from: 0, to: 3 }],
      duplicates: 0,
      lost: 0,
      recovered: 0,
    });
    expect(ledger.accept(frame(3, 2, 20), 20).fresh).toEqual([{ from: 0, to: 2 }]);
    expect(ledger.accept(frame(5, 0, 30), 30)).toEqual({ fresh: [], duplicates: 0, lost: 0, recovered: 0 });
    expect(ledger.stats()).toEqual({ lost: 0, duplicates: 0, reordered: 0, producers: 1, forgotten: 0 });
  });

  it("measures a gap before a frame, and before a heartbeat", () => {
    const ledger = new ProducerLedger();
    ledger.accept(frame(0, 3, 10), 10);
    expect(ledger.accept(frame(10, 2, 20), 20)).toMatchObject({ fresh: [{ from: 0, to: 2 }], lost: 7 });
    expect(ledger.accept(frame(13, 0, 30), 30)).toMatchObject({ fresh: [], lost: 1 });
    expect(ledger.stats().lost).toBe(8);
  });

  it("drops exactly what was sent before", () => {
    const ledger = new ProducerLedger();
    ledger.accept(frame(0, 10, 10), 10);
    expect(ledger.accept(frame(0, 10, 10), 20)).toMatchObject({ fresh: [], duplicates: 10 });
    expect(ledger.accept(frame(7, 6, 30), 30)).toMatchObject({ fresh: [{ from: 3, to: 6 }], duplicates: 3 });
    expect(ledger.stats()).toMatchObject({ lost: 0, duplicates: 13 });
  });

  it("takes a loss back when its events come late", () => {
    const ledger = new ProducerLedger();
    ledger.accept(frame(0, 10, 10), 10);
    ledger.accept(frame(20, 5, 20), 20);
    expect(ledger.accept(frame(8, 6, 11), 30)).toMatchObject({
      fresh: [{ from: 2, to: 6 }],
      duplicates: 2,
      recovered: 4,
    });
    expect(ledger.stats()).toMatchObject({ lost: 6, reordered: 4 });
    expect(ledger.accept(frame(12, 16, 30), 40).fresh).toEqual([
      { from: 2, to: 8 },
      { from: 13, to: 16 },
    ]);
    expect(ledger.stats()).toMatchObject({ lost: 0, reordered: 10 });
  });

  it("misses nothing of what a producer sent before it was first heard, and takes it if it comes", () => {
    const ledger = new ProducerLedger();
    expect(ledger.accept(frame(100, 5, 10), 10)).toMatchObject({ lost: 0, fresh: [{ from: 0, to: 5 }] });
    expect(ledger.accept(frame(50, 10, 5), 20)).toMatchObject({ fresh: [{ from: 0, to: 10 }], recovered: 0 });
    expect(ledger.accept(frame(50, 10, 5), 30)).toMatchObject({ fresh: [], duplicates: 10 });
    expect(ledger.stats()).toMatchObject({ lost: 0, reordered: 10 });
  });

  it("keeps producers apart", () => {
    const ledger = new ProducerLedger();
    ledger.accept(frame(0, 3, 10, "a"), 10);
    ledger.accept(frame(0, 3, 10, "b"), 10);
    ledger.accept(frame(4, 1, 20, "a"), 20);
    expect(ledger.accept(frame(3, 1, 20, "b"), 20).lost).toBe(0);
    expect(ledger.stats()).toMatchObject({ lost: 1, duplicates: 0, producers: 2 });
  });
});

describe("completeness", () => {
  it("is unknown before anybody has been heard", () => {
    expect(new ProducerLedger().completeness(0, 10)).toBe("unknown");
  });

  it("is true from the moment that every producer was heard up to the close", () => {
    const ledger = new ProducerLedger();
    ledger.accept(frame(0, 3, 10, "a"), 10);
    ledger.accept(frame(0, 3, 25, "b"), 25);
    expect(ledger.completeness(0, 20)).toBe("unknown");
    ledger.accept(frame(3, 0, 19, "a"), 30);
    expect(ledger.completeness(0, 20)).toBe("unknown");
    ledger.accept(frame(3, 0, 20, "a"), 30);
    expect(ledger.completeness(0, 20)).toBe(true);
  });

  it("tells the bounds of a loss: surely in a window that holds its whole interval", () => {
    const ledger = new ProducerLedger();
    ledger.accept(frame(0, 3, 12), 12);
    ledger.accept(frame(10, 3, 18), 18);
    ledger.accept(frame(13, 0, 50), 50);
    expect(ledger.completeness(10, 20)).toEqual({ atLeast: 7, atMost: 7 });
    expect(ledger.completeness(10, 18)).toEqual({ atLeast: 0, atMost: 7 });
    expect(ledger.completeness(15, 20)).toEqual({ atLeast: 0, atMost: 7 });
    expect(ledger.completeness(13, 17)).toEqual({ atLeast: 0, atMost: 7 });
    expect(ledger.completeness(18, 20)).toEqual({ atLeast: 0, atMost: 7 });
    expect(ledger.completeness(0, 12)).toBe(true);
    expect(ledger.completeness(19, 30)).toBe(true);
  });

  it("is unknown for windows that reach back to before a producer was heard, unless it began there", () => {
    const ledger = new ProducerLedger();
    ledger.accept(frame(7, 1, 10), 10);
    ledger.accept(frame(8, 0, 50), 50);
    expect(ledger.completeness(10, 20)).toBe("unknown");
    expect(ledger.completeness(11, 20)).toBe(true);
  });

  it("is unknown around bare lines", () => {
    const ledger = new ProducerLedger({ silentAfterMs: 100 });
    ledger.accept(frame(0, 1, 10), 10);
    ledger.acceptBare(20);
    ledger.accept(frame(1, 0, 500), 500);
    expect(ledger.completeness(120, 200)).toBe("unknown");
    expect(ledger.completeness(121, 200)).toBe(true);
  });

  it("judges windows without a producer that has been silent for long", () => {
    const ledger = new ProducerLedger({ silentAfterMs: 100 });
    ledger.accept(frame(0, 1, 10, "gone"), 10);
    ledger.accept(frame(0, 1, 500, "here"), 500);
    expect(ledger.completeness(0, 10)).toBe(true);
    expect(ledger.completeness(110, 120)).toBe("unknown");
    expect(ledger.completeness(111, 120)).toBe(true);
  });

  it("takes nobody for ended who may have spoken during an interruption", () => {
    const ledger = new ProducerLedger({ silentAfterMs: 100 });
    ledger.accept(frame(0, 1, 10, "a"), 10);
    ledger.accept(frame(0, 1, 10, "b"), 10);
    ledger.interrupted(300);
    ledger.accept(frame(1, 1, 500, "a"), 500);
    expect(ledger.completeness(200, 210)).toBe("unknown");
    ledger.accept(frame(4, 0, 500, "b"), 500);
    expect(ledger.completeness(200, 210)).toEqual({ atLeast: 0, atMost: 3 });
  });
});

describe("bounds", () => {
  it("forgets the producer that was silent for longest, and is unsure about its time", () => {
    const ledger = new ProducerLedger({ maxProducers: 2, silentAfterMs: 100 });
    ledger.accept(frame(0, 1, 10, "a"), 10);
    ledger.accept(frame(0, 1, 10, "b"), 11);
    ledger.accept(frame(1, 1, 20, "a"), 20);
    ledger.accept(frame(0, 1, 30, "c"), 30);
    ledger.accept(frame(2, 0, 900, "a"), 900);
    ledger.accept(frame(1, 0, 900, "c"), 900);
    expect(ledger.stats()).toMatchObject({ producers: 2, forgotten: 1 });
    expect(ledger.completeness(110, 120)).toBe("unknown");
    expect(ledger.completeness(111, 120)).toBe(true);
    expect(ledger.accept(frame(1, 0, 40, "b"), 40).lost).toBe(0);
  });

  it("forgets who has not been heard for longer than it should remember", () => {
    const ledger = new ProducerLedger({ forgetAfterMs: 1_000 });
    ledger.accept(frame(0, 1, 10, "a"), 10);
    ledger.accept(frame(0, 1, 10, "b"), 11);
    ledger.accept(frame(0, 1, 10, "c"), 1_010);
    expect(ledger.stats()).toMatchObject({ producers: 2, forgotten: 1 });
  });

  it("unites the oldest losses beyond its bound; no event is taken out of the count", () => {
    const ledger = new ProducerLedger({ maxLosses: 2 });
    for (let i = 0; i < 10; i += 1) ledger.accept(frame(i * 2, 1, i * 10), i * 10);
    ledger.accept(frame(19, 0, 200), 200);
    expect(ledger.stats().lost).toBe(9);
    expect(ledger.completeness(0, 100)).toEqual({ atLeast: 9, atMost: 9 });
    expect(ledger.completeness(0, 15)).toEqual({ atLeast: 0, atMost: 8 });
    expect(ledger.accept(frame(17, 1, 85), 210).recovered).toBe(1);
    expect(ledger.accept(frame(1, 1, 5), 220)).toMatchObject({ recovered: 0, duplicates: 1 });
  });
});

describe("a stored ledger", () => {
  it.each([[[]], ["text"], [null], [{}], [{ producers: [[1]], losses: [] }], [{ producers: [], losses: 3 }]])(
    "is refused when it is %j",
    (state) => {
      expect(() => new ProducerLedger({}, state)).toThrow(RedisPositionError);
    },
  );
});

const PRODUCERS = ["a", "b", "c"];

const sent = fc.record({
  producer: fc.constantFrom(...PRODUCERS),
  count: fc.nat(3),
  afterMs: fc.nat(10),
  fate: fc.constantFrom("arrives", "arrives", "arrives", "lost", "twice", "delayed"),
  delay: fc.integer({ min: 1, max: 6 }),
  restart: fc.constantFrom(false, false, false, true),
});

interface Journey {
  readonly arrivals: readonly (FrameHeader & { readonly restart: boolean })[];
  /** Publish time of every number, by producer. */
  readonly published: ReadonlyMap<string, readonly number[]>;
}

/** What producers sent, and in which order it arrived, if it did. */
const journey = fc.array(sent, { maxLength: 40 }).map((frames): Journey => {
  const published = new Map(PRODUCERS.map((producer) => [producer, [] as number[]]));
  const arrivals: { at: number; header: FrameHeader & { restart: boolean } }[] = [];
  let now = 1_000;
  for (const [index, { producer, count, afterMs, fate, delay, restart }] of frames.entries()) {
    now += afterMs;
    const numbers = published.get(producer) ?? [];
    const header = { producer, first: numbers.length, count, publishedAtMs: now, restart };
    for (let i = 0; i < count; i += 1) numbers.push(now);
    if (fate === "arrives" || fate === "twice") arrivals.push({ at: index, header });
    if (fate === "delayed" || fate === "twice") arrivals.push({ at: index + delay + 0.5, header });
  }
  arrivals.sort((a, b) => a.at - b.at);
  return { arrivals: arrivals.map(({ header }) => header), published };
});

/** The simplest thing that knows the truth: the set of numbers that arrived. */
class Oracle {
  readonly #seen = new Map<string, Set<number>>();
  readonly #start = new Map<string, number>();
  readonly #end = new Map<string, number>();

  accept({ producer, first, count }: FrameHeader): number[] {
    const seen = this.#seen.get(producer) ?? new Set();
    this.#seen.set(producer, seen);
    if (!this.#start.has(producer)) this.#start.set(producer, first);
    this.#end.set(producer, Math.max(this.#end.get(producer) ?? 0, first + count));
    const numbers = Array.from({ length: count }, (_, i) => first + i).filter((n) => !seen.has(n));
    for (const number of numbers) seen.add(number);
    return numbers;
  }

  get lost(): number {
    let lost = 0;
    for (const [producer, seen] of this.#seen) {
      for (let n = this.#start.get(producer) ?? 0; n < (this.#end.get(producer) ?? 0); n += 1) {
        if (!seen.has(n)) lost += 1;
      }
    }
    return lost;
  }

  /** Of what producers heard have published in the window, how much has not arrived? */
  missing(open: number, close: number, published: Journey["published"]): number {
    let missing = 0;
    for (const [producer, seen] of this.#seen) {
      for (const [number, at] of (published.get(producer) ?? []).entries()) {
        if (at >= open && at < close && !seen.has(number)) missing += 1;
      }
    }
    return missing;
  }
}

describe("under drops, duplicates, reorderings and restarts", () => {
  it("numbers are exact, bounds hold, and nothing incomplete is called complete", () => {
    const verdicts = { true: 0, unknown: 0, bounds: 0 };
    fc.assert(
      fc.property(journey, fc.integer({ min: 3, max: 400 }), ({ arrivals, published }, maxLosses) => {
        const options = { silentAfterMs: 1e9, maxLosses };
        let ledger = new ProducerLedger(options);
        const oracle = new Oracle();
        let lost = 0;
        for (const { restart, ...header } of arrivals) {
          if (restart) ledger = new ProducerLedger(options, stored(ledger.snapshot()));
          const verdict = ledger.accept(header, header.publishedAtMs);
          const fresh = verdict.fresh.flatMap(({ from, to }) =>
            Array.from({ length: to - from }, (_, i) => header.first + from + i),
          );
          const expected = oracle.accept(header);
          lost += verdict.lost - verdict.recovered;
          // Beyond the bound of losses an event that comes late can no longer be told from one that comes twice.
          if (maxLosses >= 40) {
            expect(fresh).toEqual(expected);
            expect(verdict.duplicates).toBe(header.count - expected.length);
            expect(lost).toBe(oracle.lost);
          } else {
            expect(fresh.length + verdict.duplicates).toBe(header.count);
            expect(lost).toBeGreaterThanOrEqual(oracle.lost);
          }
          for (const length of [7, 20, 60]) {
            for (let open = 1_000; open < header.publishedAtMs; open += length) {
              const complete = ledger.completeness(open, open + length);
              const missing = oracle.missing(open, open + length, published);
              const atMost = complete === true ? 0 : complete === "unknown" ? Infinity : complete.atMost;
              const atLeast = typeof complete === "object" && maxLosses >= 40 ? complete.atLeast : 0;
              // One assertion for each of so many windows would take most of the time.
              if (missing < atLeast || missing > atMost) expect({ open, length, missing }).toEqual(complete);
              verdicts[complete === true ? "true" : complete === "unknown" ? "unknown" : "bounds"] += 1;
            }
          }
        }
      }),
      { numRuns: 300 },
    );
    for (const count of Object.values(verdicts)) expect(count).toBeGreaterThan(100);
  });
});
