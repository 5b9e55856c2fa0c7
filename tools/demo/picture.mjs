/** Runs the demo on a terminal and draws its output as docs/demo.svg: the start, one whole window, the final accounting. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";

const PAGE = "docs/demo.svg";
const DEMO = "node --conditions=@millrace/source --import tsx tools/demo/src/main.ts";
const FONT_PX = 14;
const LINE_PX = 20;
const MARGIN_PX = 24;
const COLUMN_PX = 8.43;

/** `script` (util-linux) gives the demo a terminal: without one it does not show windows. */
const { stdout, status } = spawnSync("script", ["-qec", `stty rows 50 cols 120; ${DEMO}`, "/dev/null"], {
  encoding: "utf8",
  stdio: ["ignore", "pipe", "inherit"],
});
if (status !== 0) throw new Error(`the demo ended with ${status}`);

const lines = stripVTControlCharacters(stdout)
  .split("\n")
  .map((line) => line.split("\r").filter(Boolean).at(-1) ?? "")
  .map((line) => line.trimEnd());

/** Returns the lines from the one that starts with `start` to the next empty one. */
function section(start, skip = 0) {
  const from = lines
    .map((line, index) => (line.startsWith(start) ? index : -1))
    .filter((index) => index >= 0)[skip];
  if (from === undefined) throw new Error(`the demo printed no "${start}"`);
  const to = lines.indexOf("", from);
  return lines.slice(from, to === -1 ? undefined : to);
}

const account = section("  published");
const shown = [
  "$ npm run demo",
  "",
  ...section("  Redis:"),
  "",
  // Not the first window: it had begun before the demo, and is incomplete.
  ...section("  Window ", 1),
  "",
  "Where every event went",
  ...account,
];

const escape = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
function colourOf(line) {
  if (line.startsWith("$")) return "#8bd5ca";
  if (line.startsWith("  Window") || /^\S/.test(line)) return "#f5f5f5";
  return line.includes("unaccounted") ? "#a6da95" : "#b8c0cc";
}
const text = (line, index) => {
  const y = MARGIN_PX + LINE_PX * index + FONT_PX;
  const body = escape(line).replaceAll(/[█▏▎▍▌▋▊▉]+/g, (bar) => `<tspan fill="#eed49f">${bar}</tspan>`);
  return `<text x="${MARGIN_PX}" y="${y}" fill="${colourOf(line)}" xml:space="preserve">${body}</text>`;
};
const width = Math.ceil(MARGIN_PX * 2 + COLUMN_PX * Math.max(...shown.map((line) => line.length)));
const height = MARGIN_PX * 2 + LINE_PX * shown.length;
writeFileSync(
  PAGE,
  [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    "<title>npm run demo: one window of clicks by time zone, and where every event went</title>",
    `<rect width="${width}" height="${height}" rx="8" fill="#1e2030"/>`,
    `<g font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="${FONT_PX}">`,
    ...shown.map(text),
    "</g>",
    "</svg>",
    "",
  ].join("\n"),
);
