import type { Figures } from "./benchmark.ts";

/** What a ratio has to be. */
export interface Target {
  readonly ratio: string;
  readonly atMost?: number;
  readonly atLeast?: number;
}

export interface CheckedTarget extends Target {
  readonly met: boolean;
}

/** What is printed of a case. */
export interface Line {
  readonly case: string;
  readonly title?: string;
  readonly contender: string;
  readonly version?: string;
  readonly figures: Figures;
  readonly targets?: readonly CheckedTarget[];
  /** Why there are no figures, in one line. */
  readonly notRun?: string;
}

/** A column of a table: its heading, and what a line has in it. */
export type Column = readonly [heading: string, text: (line: Line) => string | undefined];

/** Lines as a Markdown table; a column in which no line has anything is left out. */
export function markdownTable(columns: readonly Column[], lines: readonly Line[]): string {
  const cells = columns
    .map(([heading, text]) => [heading, ...lines.map((line) => text(line) ?? "")])
    .filter(([, ...texts]) => texts.some((text) => text !== ""));
  const widths = cells.map((column) => Math.max(3, ...column.map((cell) => cell.length)));
  const row = (texts: readonly string[]): string => `| ${texts.join(" | ")} |`;
  const rule = row(widths.map((width) => "-".repeat(width)));
  const [head = "", ...others] = ["", ...lines].map((_, at) =>
    row(cells.map((column, index) => (column[at] ?? "").padEnd(widths[index] ?? 0))),
  );
  return [head, rule, ...others].join("\n");
}

/** A column of one figure, or of several with commas between. */
export function figures(
  heading: string,
  names: readonly string[],
  form: (figure: number) => string = String,
): Column {
  return [
    heading,
    ({ figures: all }) =>
      names
        .flatMap((name) => all[name] ?? [])
        .map((figure) => form(figure))
        .join(", "),
  ];
}

/** A number as people read it: thousands apart. */
export const readable = (figure: number): string => Math.round(figure).toLocaleString("en-US");
export const times = (ratio: number): string => `${ratio}x`;

export const CONTENDER: Column = ["contender", ({ contender }) => contender];
export const CPU: Column = figures("CPU µs/event", ["cpuMicrosPerEvent"]);
export const RATE: Column = figures("events/s", ["eventsPerSecond"], readable);
export const PEAK: Column = figures("peak MiB", ["rssMiB"], readable);

/** The column of targets. @param names of what is compared with, where that differs from target to target */
export function targets(names: Readonly<Record<string, string>> = {}): Column {
  const text = ({ ratio, atMost, atLeast, met }: CheckedTarget): string => {
    const bound = atMost === undefined ? `at least ${atLeast ?? 0}x` : `at most ${atMost}x`;
    const other = names[ratio] === undefined ? "" : ` of ${names[ratio]}`;
    return `${bound}${other}: ${met ? "met" : "missed"}`;
  };
  return ["target", (line) => line.targets?.map(text).join(", ")];
}

export function checked(target: Target, { [target.ratio]: figure = Number.NaN }: Figures): CheckedTarget {
  const { atMost = Infinity, atLeast = 0 } = target;
  return { ...target, met: figure <= atMost && figure >= atLeast };
}
