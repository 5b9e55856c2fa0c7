import { parseDuration } from "@millrace/windowing/options";
import { UsageError, text } from "@millrace/cli";
import type { CommandLine, Value } from "@millrace/cli";
import type { BuiltInWindower, Clock } from "@millrace/windowing";
import { parseClock } from "./clock-spec.ts";
import { flowChoice, flowLabel } from "../flows/flow-choice.ts";
import type { BuiltInFlows, FlowChoice } from "../flows/flow-choice.ts";
import type { FlowParts } from "../flows/flow-parts.ts";
import { parseWindow } from "./window-spec.ts";

/** Options that shape a flow. */
export interface FlowShape {
  readonly windower: BuiltInWindower;
  /** `undefined`: as suits the transport. */
  readonly clock: Clock<unknown> | undefined;
  readonly windowing: FlowParts["windowing"];
  /** Rows say where they come from. */
  readonly meta: boolean;
  /** Where late and refused events go; `undefined`: they are counted only. */
  readonly lateFile: string | undefined;
}

/** Which flow, and the options that shape it. */
export interface FlowSettings extends FlowShape {
  readonly choice: FlowChoice;
  /** The flags and variables that were given for each of these parts; a flow need not use them. */
  readonly given: Readonly<Record<ShapedPart, readonly string[]>>;
}

/** The parts that are options of a flow's own. */
export type ShapedPart = "windower" | "clock" | "windowing" | "results" | "late";

const DEFAULT_WINDOW = "tumbling:5s";

/** The same without any option. */
export const DEFAULT_FLOW_SHAPE: FlowShape = Object.freeze({
  windower: parseWindow(DEFAULT_WINDOW),
  clock: undefined,
  windowing: {},
  meta: false,
  lateFile: undefined,
});

/** Declares the option that chooses one of a program's flows, by default the first, or a flow module. */
export function flowOption(
  cli: CommandLine,
  flows: BuiltInFlows,
  env: Readonly<Record<string, string | undefined>>,
): Value<FlowChoice> {
  const names = Object.keys(flows);
  const [byDefault = ""] = names;
  const parse = flowChoice(flows, env);
  return cli.option<FlowChoice>(
    {
      flag: "--flow <name>",
      env: "MILLRACE_FLOW",
      description: `${names.join(", ")}, or a flow module such as ./my-flow.ts`,
      parse,
      defaultText: byDefault,
    },
    parse(byDefault),
  );
}

/** Declares the options that choose and shape a flow. @param choose declares how it is chosen */
export function flowOptions(
  cli: CommandLine,
  choose: (cli: CommandLine) => Value<FlowChoice>,
): Value<FlowSettings> {
  const choice = choose(cli);
  const windower = cli.option(
    {
      flag: "--window <kind:length>",
      env: "MILLRACE_WINDOW",
      description:
        "tumbling:<length>, sliding:<length>/<offset> or session:<gap>; units are ms, s, m, h, d, w; or tumbling:<length>@<time zone>, such as 1d@Europe/Berlin: whole days (d), weeks (w, from Monday) or months (mo) there",
      parse: parseWindow,
      defaultText: DEFAULT_WINDOW,
    },
    DEFAULT_FLOW_SHAPE.windower,
  );
  const clock = cli.option({
    flag: "--clock <kind>",
    env: "MILLRACE_CLOCK",
    description:
      "an event's time: system[:<settle>] (its arrival; windows wait at most so long for news of all producers, by default 0s), or publish[:<wait>[:<max future>]] (when it was published; windows wait so long for others, by default 1s; what is further ahead is refused, by default 5m, or unbounded), or event:<field>[:<wait>[:<max future>]] (the time in a field of the event, such as order.at: milliseconds since the epoch, or ISO 8601 text with its zone), or event-seconds:<field>[…] (seconds since the epoch)",
    parse: parseClock,
    defaultText: "system; publish for streams and Kafka",
  });
  const lateness = cli.option({
    flag: "--allowed-lateness <duration>",
    env: "MILLRACE_ALLOWED_LATENESS",
    description: "how long a closed window is kept, to correct its rows when events come late",
    parse: (given) => parseDuration(given),
    defaultText: "not at all",
  });
  const early = cli.option({
    flag: "--early <duration>",
    env: "MILLRACE_EARLY",
    description: "how often open windows show what they have so far",
    parse: (given) => parseDuration(given),
    defaultText: "never",
  });
  const meta = cli.toggle({
    flag: "--meta",
    env: "MILLRACE_META",
    description: "rows also have their window, revision, cause and completeness",
  });
  const late = cli.option({
    flag: "--late <file>",
    env: "MILLRACE_LATE",
    description:
      "file to which events are appended that came too late for their windows, or were refused for their time, as JSON lines; {part} in its name stands for the partition, and is required with several partitions",
    parse: text,
    defaultText: "they are counted only",
  });
  return () => {
    const allowedLateness = lateness();
    const earlyEvery = early();
    const given = (...values: readonly Value<unknown>[]): readonly string[] =>
      values.map((value) => cli.givenAs(value)).filter((name) => name !== undefined);
    requireTime(choice(), clock());
    return {
      choice: choice(),
      windower: windower(),
      clock: clock(),
      windowing: {
        ...(allowedLateness === undefined ? {} : { allowedLateness }),
        ...(earlyEvery === undefined ? {} : { earlyEvery }),
      },
      lateFile: late(),
      // A row that may be replaced must say so.
      meta: meta() || allowedLateness !== undefined || earlyEvery !== undefined,
      given: {
        windower: given(windower),
        clock: given(clock),
        windowing: given(lateness, early),
        results: meta() ? given(meta) : [],
        late: given(late),
      },
    };
  };
}

/** Otherwise every event would be refused. @throws UsageError */
function requireTime(choice: FlowChoice, clock: Clock<unknown> | undefined): void {
  const hasTimes = choice.kind === "module" || choice.flow.hasTimes === true;
  if (hasTimes || clock?.kind !== "event" || clock.timestamp === undefined) return;
  throw new UsageError(
    `--clock: the events of ${flowLabel(choice)} have no field with their time; give system or publish, or --flow a module of your own`,
  );
}
