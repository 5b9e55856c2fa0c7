import fc from "fast-check";

import type { CustomWindow, CustomWindower } from "../../src/index.ts";

/** Windows side by side whose lengths (ms) follow a pattern, over and over. */
export class PatternWindower implements CustomWindower {
  readonly kind = "custom";
  readonly exclusive: boolean;
  readonly description: string;
  readonly #lengths: readonly number[];

  constructor(lengths: readonly number[], exclusive = true) {
    this.#lengths = lengths;
    this.exclusive = exclusive;
    this.description = `lengths ${lengths.join(", ")}`;
  }

  assign(timestamp: number): readonly CustomWindow[] {
    const total = this.#lengths.reduce((sum, length) => sum + length, 0);
    let open = Math.floor(timestamp / total) * total;
    for (const length of this.#lengths) {
      const close = open + length;
      if (timestamp < close) return [{ id: open, open, close }];
      open = close;
    }
    return [];
  }
}

/** The windows of two windowers at once. */
export class BothWindower implements CustomWindower {
  readonly kind = "custom";
  readonly description: string;
  readonly #parts: readonly CustomWindower[];

  constructor(...parts: readonly CustomWindower[]) {
    this.#parts = parts;
    this.description = parts.map(({ description }) => description).join(" and ");
  }

  assign(timestamp: number): readonly CustomWindow[] {
    return this.#parts.flatMap((part, index) =>
      part.assign(timestamp).map((window) => ({ ...window, id: window.id * this.#parts.length + index })),
    );
  }
}

const patterns = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 4 });

/** Side by side, asked for each event or once for each window; and windows that overlap. */
export const customWindowers: fc.Arbitrary<CustomWindower> = fc.oneof(
  fc.tuple(patterns, fc.boolean()).map(([lengths, exclusive]) => new PatternWindower(lengths, exclusive)),
  fc
    .tuple(patterns, patterns)
    .map(([some, others]) => new BothWindower(new PatternWindower(some), new PatternWindower(others))),
);
