import type { TestEvent } from "../../src/click.ts";

/** Events that take their time from when they are published. */
export function steadyEvents(count: number): readonly TestEvent[] {
  return Array.from({ length: count }, (_, number) => ({ number, at: 0, key: `Zone/${number % 5}` }));
}
