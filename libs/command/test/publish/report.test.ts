import { describe, expect, it, test } from "@jest/globals";
import type { Logger } from "@millrace/dataflow";
import { report } from "../../src/publish/report.ts";

const FLOW = { flow: "publish", tasks: [] };

function said(resent: number, numbered: boolean): readonly string[] {
  const lines: string[] = [];
  const add =
    (level: string) =>
    (_fields: object, message: string): void => {
      lines.push(`${level} ${message}`);
    };
  const logger: Logger = { debug: add("debug"), info: add("info"), warn: add("warn"), error: add("error") };
  const sent = { published: 10, bytes: 100, resent, unsent: 0, disconnects: 1 };
  report(logger, FLOW, sent, { elapsedMs: 1_000, numbered });
  return lines.slice(1);
}

test("events that were not sent are part of the report", () => {
  const lines: object[] = [];
  const quiet = (): void => undefined;
  const error = (fields: object, message: string): void => {
    lines.push({ ...fields, message });
  };
  const sent = { published: 10, bytes: 100, resent: 0, unsent: 9, disconnects: 1 };
  const logger: Logger = { debug: quiet, info: quiet, warn: quiet, error };
  report(logger, FLOW, sent, { elapsedMs: 1_000, numbered: true });
  expect(lines).toMatchObject([
    { event: "report", unsent: 9, message: expect.stringMatching(/; 9 of 0 events were not sent/) },
  ]);
});

describe("events that were sent again", () => {
  it("may be duplicates if they have no numbers", () => {
    expect(said(3, false)).toEqual([expect.stringMatching(/^warn 3 events .* may have received them twice/)]);
  });

  it("are dropped by readers if they have numbers", () => {
    expect(said(3, true)).toEqual([expect.stringMatching(/^info 3 events .* readers drop duplicates/)]);
  });

  it("are not mentioned if there are none", () => {
    expect(said(0, false)).toEqual([]);
  });
});
