import { describe, expect, it } from "@jest/globals";
import { existsSync, readFileSync } from "node:fs";
import { clickCodec } from "@millrace/event-schema";

const file = new URL("../../../../shared/data/example-events.jsonl", import.meta.url);
const whenPresent = existsSync(file) ? it : it.skip;

describe("the example data (needs ../shared/data/example-events.jsonl)", () => {
  whenPresent("are 1000 clicks, 99 of them distinct, that encode to what they were", () => {
    const lines = readFileSync(file, "utf8").trimEnd().split("\n");
    const events = lines.flatMap((line) => {
      const result = clickCodec.decode(line);
      return result.kind === "event" ? [result.event] : [];
    });
    expect(events).toHaveLength(1_000);
    expect(new Set(events.map((event) => event.click_id)).size).toBe(99);
    expect(events.map((event) => clickCodec.encode(event))).toEqual(
      lines.map((line) => JSON.stringify(JSON.parse(line))),
    );
  });
});
