import { runProgram } from "@millrace/cli";
import { withBed } from "./conductor/with-bed.ts";
import { peersConfig } from "./peers/config.ts";
import { PEERS } from "./peers/peers.ts";
import { runPeers } from "./peers/run-peers.ts";
import { peersTable } from "./peers/table.ts";
import { machineLine } from "./report/machine.ts";

/** Measures Millrace beside the tools that one would pick instead. */
await runProgram("bench peers", peersConfig, ({ config, logger, signal }) =>
  withBed(signal, async (bed) => {
    if (!config.json) process.stdout.write(`${await machineLine(bed.client)}\n\n`);
    const peers = PEERS.filter(({ case: name }) => config.cases.includes(name));
    const lines = await runPeers(bed, peers, { ...config, signal, logger });
    for (const line of config.json ? lines : []) process.stdout.write(`${JSON.stringify(line)}\n`);
    if (!config.json) process.stdout.write(`${peersTable(lines)}\n`);
  }),
);
