import type { TestEvent } from "../../src/click.ts";

/** Events whose time is the time of publishing. */
export function steadyEvents(count: number): readonly TestEvent[] {
  return Array.from({ length: count }, (_, number) => ({ number, at: 0, key: `Zone/${number % 5}` }));
}
