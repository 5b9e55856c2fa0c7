import type { Benchmark, Case, Figures, Group } from "../benchmark.ts";
import { CHANNEL, FRAMES, LINES, withBed } from "../lab/bed.ts";
import type { Bed, Load } from "../lab/bed.ts";
import { publish, selfMeasured } from "../lab/programs.ts";
import { withEventsFile } from "../lab/tally.ts";
import { CPU, RATE, endedCpuMicros } from "../lab/usage.ts";

/** Without a subscriber: how fast they send the same bytes. */
export const publisher: Benchmark = {
  name: "publisher",
  description: "Measures the publisher beside a loop that people write by hand, with the same bytes.",
  groups: [
    sending("bare", "Publishing bare lines", LINES),
    sending("frames", "Publishing frames of 64", FRAMES),
  ],
};

function sending(name: string, title: string, load: Load): Group {
  type Use = (bed: Bed, events: number) => Promise<Figures>;
  const turn = (use: Use): Case["measure"] => {
    return ({ scale }) => withBed((bed) => use(bed, Math.ceil(load.events * scale)));
  };
  const bare = turn(({ url }, events) =>
    selfMeasured("bare-publisher", url, CHANNEL, events, load.batch ?? 1),
  );
  const generated = turn((bed, events) =>
    figuresOf(events, (count) => publish(bed, load, count, { wait: "0" })),
  );
  const filed = turn((bed, events) =>
    figuresOf(events, (count) =>
      withEventsFile(count, (file) => publish(bed, load, count, { wait: "0", file })),
    ),
  );
  const ratios = [
    { heading: "CPU to the bare loop", of: CPU, to: "loop" },
    { heading: "rate to the bare loop", of: RATE, to: "loop", atLeast: 0.9 },
  ];
  const cases = [
    { name: "loop", contender: "bare ioredis pipeline loop, lines in memory", measure: bare },
    { name: "file", contender: "Millrace's publisher, --file", measure: filed, ratios },
    { name: "generate", contender: "Millrace's publisher, --generate", measure: generated, ratios },
  ];
  return { name, title, cases };
}

/** Its CPU time is that of the process, without that of one that publishes a single event: its start. */
async function figuresOf(events: number, run: (events: number) => Promise<number>): Promise<Figures> {
  const before = await endedCpuMicros();
  await run(1);
  const started = await endedCpuMicros();
  const rate = await run(events);
  const ended = await endedCpuMicros();
  return { [CPU]: (ended - started - (started - before)) / events, [RATE]: rate };
}
