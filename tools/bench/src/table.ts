import type { Case, Figures } from "./benchmark.ts";

/** A case, and what came out. */
export interface Line {
  readonly case: Case;
  readonly figures: Figures;
  /** The lowest and the highest of the rounds, for ratios of several. */
  readonly spreads?: Readonly<Record<string, string>>;
  /** Why there are no figures, in one line. */
  readonly notRun?: string | undefined;
}

const REASON_LENGTH = 160;

/** Lines as a Markdown table that reads well as text, with a column for each figure. */
export function markdownTable(lines: readonly Line[]): string {
  const headings = [...new Set(lines.flatMap(({ figures }) => Object.keys(figures)))];
  const columns = [
    // A program that fails may have printed much before; all of it is in the log.
    [
      "contender",
      ...lines.map(({ case: { contender }, notRun }) =>
        notRun === undefined ? contender : `${contender} (not run: ${notRun.slice(0, REASON_LENGTH)})`,
      ),
    ],
    ...headings.map((heading) => [heading, ...lines.map((line) => cellOf(line, heading))]),
  ].map(([heading = "", ...cells]) => {
    const width = Math.max(3, heading.length, ...cells.map((cell) => cell.length));
    return [heading.padEnd(width), "-".repeat(width), ...cells.map((cell) => cell.padEnd(width))];
  });
  return ["", "", ...lines]
    .map((_, at) => `| ${columns.map((column) => column[at]).join(" | ")} |\n`)
    .join("");
}

function cellOf({ case: { ratios = [] }, figures, spreads = {} }: Line, heading: string): string {
  const figure = figures[heading];
  if (figure === undefined) return "";
  const number = figure.toLocaleString("en-US", { maximumFractionDigits: 9 });
  const ratio = ratios.find((each) => each.heading === heading);
  if (ratio === undefined) return number;
  const spread = spreads[heading];
  const text = spread === undefined ? `${number}x` : `${number}x, ${spread}`;
  const { atMost = Infinity, atLeast = 0 } = ratio;
  if (ratio.atMost === undefined && ratio.atLeast === undefined) return text;
  const bound = ratio.atMost === undefined ? `at least ${atLeast}x` : `at most ${atMost}x`;
  return `${text} (${bound}: ${figure <= atMost && figure >= atLeast ? "met" : "missed"})`;
}
