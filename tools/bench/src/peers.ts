import { runProgram } from "@millrace/cli";
import { withBed } from "./conductor/with-bed.ts";
import { roundsConfig } from "./options.ts";
import { PEERS } from "./peers/peers.ts";
import { runPeers } from "./peers/run-peers.ts";
import { peersTable } from "./peers/table.ts";
import { machineLine } from "./report/machine.ts";

const config = roundsConfig({
  name: "bench peers",
  description:
    "Compares the aggregator with what one would pick instead, over the same events from the same Redis.",
  cases: PEERS.map(({ case: name }) => name),
  what: "which peers, beside Millrace",
});

/** Measures Millrace beside the tools that one would pick instead. */
await runProgram("bench peers", config, ({ config: { cases, json, ...settings }, logger, signal }) =>
  withBed(signal, async (bed) => {
    if (!json) process.stdout.write(`${await machineLine(bed.client)}\n\n`);
    const peers = PEERS.filter(({ case: name }) => cases.includes(name));
    const lines = await runPeers(bed, peers, { ...settings, signal, logger });
    for (const line of json ? lines : []) process.stdout.write(`${JSON.stringify(line)}\n`);
    if (!json) process.stdout.write(`${peersTable(lines)}\n`);
  }),
);
