/**
 * Writes docs/options.md from what the programs' `--help` says; with `--check` it only compares.
 *
 * An option is declared once, in a program; this page is made of those declarations.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { format, resolveConfig } from "prettier";

const PAGE = "docs/options.md";

/** Every option of a program or one of its commands: what its help says of it. */
function optionsOf(program, command = []) {
  const main = `apps/${program}/src/main.ts`;
  const args = ["--conditions=@millrace/source", "--import", "tsx", main, ...command, "--help"];
  const help = execFileSync(process.execPath, args, { encoding: "utf8" });
  const entries = [];
  for (const line of help.split("\n")) {
    const [, names, text] =
      /^ {2}((?:-\w, )?--\S+(?: [<[].+?[>\]])?|[A-Z]+_[A-Z_]+) {2,}(.*)$/.exec(line) ?? [];
    if (names !== undefined) entries.push({ names, text });
    else if (/^ {10,}\S/.test(line) && entries.length > 0) entries.at(-1).text += ` ${line.trim()}`;
  }
  const options = entries.map(({ names, text }) => {
    const [, description, shown, env] = /^(.*?)(?: \((?:default: (.*), )?env: ([A-Z_]+)\))?$/.exec(text);
    const variable = /^[A-Z]/.test(names) ? names : env;
    return {
      flag: variable === names ? undefined : names.replace(" [boolean]", ""),
      variable,
      shown,
      description,
    };
  });
  return options.filter(({ variable }) => variable !== undefined);
}

function table(options) {
  const rows = options.map(({ flag, variable, shown = "", description }) => {
    const text = [shown, description].map((cell) => cell.replaceAll(/<(?=[a-z])/g, "\\<"));
    const cells = [flag === undefined ? "none" : `\`${flag}\``, `\`${variable}\``, ...text];
    return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  });
  return ["| flag | variable | default | what it does |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

const same = (a) => (b) =>
  a.variable === b.variable && a.description === b.description && a.shown === b.shown;

function page() {
  const aggregator = optionsOf("aggregator");
  const publisher = optionsOf("publisher");
  const common = aggregator.filter((option) => publisher.some(same(option)));
  const own = (options) => options.filter((option) => !common.some(same(option)));
  const commands = ["graph", "inspect", "reset"].map((command) => {
    const options = optionsOf("aggregator", [command]);
    const others = options.filter((option) => !aggregator.some(same(option)));
    const shared = options.filter((option) => aggregator.some(same(option)) && !common.some(same(option)));
    const flags = shared.map(({ flag, variable }) => `\`${(flag ?? variable).split(" ")[0]}\``);
    return [
      `## Aggregator: ${command}`,
      ...(others.length === 0 ? [] : [table(others)]),
      `As for the aggregator itself: ${flags.join(", ")}${options.some((option) => common.some(same(option))) ? ", and what both programs take" : ""}.`,
    ].join("\n\n");
  });
  return [
    "# Options",
    "<!-- Made by `node tools/options.mjs` from the programs' `--help`. Change the declarations, not this page. -->",
    "Every option is a flag and an environment variable. The flag wins; an empty variable counts as not set. An invalid " +
      "value is refused at the start, by name, with exit code 2. So is a flag that has no effect beside the others, such " +
      "as `--trim` on Pub/Sub; a variable that has no effect is a warning. A duration is a number with `ms`, `s`, `m`, " +
      "`h` or `d`.",
    "## Aggregator",
    table(own(aggregator)),
    ...commands,
    "## Publisher",
    table(own(publisher)),
    "## Both",
    table(common),
    "",
  ].join("\n\n");
}

const wanted = await format(page(), { ...(await resolveConfig(PAGE)), parser: "markdown" });
if (process.argv.includes("--check")) {
  const found = readFileSync(PAGE, "utf8");
  if (found !== wanted)
    console.error(`${PAGE} is not what the programs' options are: run node tools/options.mjs`);
  process.exit(found === wanted ? 0 : 1);
}
writeFileSync(PAGE, wanted);
