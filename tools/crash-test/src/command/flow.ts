import { writeSync } from "node:fs";
import { oneOf } from "@millrace/cli";
import type { FlowParts } from "@millrace/command/flow";
import { mapRows } from "@millrace/dataflow";
import type { Dataflow } from "@millrace/dataflow";
import type { WindowResult } from "@millrace/windowing";
import { crashFlow } from "../aggregator/flow.ts";
import { GUARDS } from "../guard.ts";
import { HISTORY, LATEST, SHARED_WAIT_MS, WINDOW_MS } from "../names.ts";
import { rowOf } from "../tally.ts";
import type { Tally } from "../tally.ts";
import { makeCareless } from "./make-careless.ts";

/** Options of the flow. */
export const options = {
  without: { flag: "--without <guard>", description: "guard to switch off", parse: oneOf(GUARDS) },
} as const;

/** The test's tallies, for `millrace run`. The worker that runs them is careless. */
export default function flow({
  source,
  results,
  out,
  options: { without },
}: FlowParts<typeof options>): Dataflow {
  makeCareless(without, (event, fields) => {
    // Written synchronously: the process may be killed at any moment.
    writeSync(2, `${JSON.stringify({ level: "info", time: new Date(), event, ...fields, msg: event })}\n`);
  });
  return crashFlow({
    source,
    clock: "event",
    windowMs: WINDOW_MS,
    waitMs: SHARED_WAIT_MS,
    allowedLatenessMs: 0,
    pageSize: 2_000,
    results: {
      [LATEST]: mapRows(results, (result: WindowResult<Tally>) => ({ ...result, value: rowOf(result) })),
      [HISTORY]: mapRows(out, rowOf),
    },
    late: out,
  });
}
