import { readFileSync } from "node:fs";
import type { CommandLine, Value } from "./command-line.ts";
import { text } from "./parsers.ts";
import { UsageError } from "./errors.ts";

/**
 * Declares a secret: the variable `name`, or the file that `<name>_FILE` names. It has no flag, since all users of a
 * machine can see command lines. Editors and `echo` end a file with a line break: it is removed, and a warning is logged.
 *
 * The value throws a UsageError when both are given.
 *
 * @param unless as for an option
 */
export function secretOption(
  cli: CommandLine,
  name: string,
  description: string,
  unless: () => boolean = () => false,
): Value<string | undefined> {
  const trimmed = (secret: string, where: string): string => {
    const line = secret.replace(/[\r\n]+$/, "");
    if (line !== secret) cli.note(`${where} ends with a line break, which is removed`);
    return text(line);
  };
  const itself = cli.option({
    env: name,
    description,
    parse: (given) => trimmed(given, name),
    unless,
  });
  const file = cli.option({
    env: `${name}_FILE`,
    description: `file with the value of ${name}`,
    parse: (path) => trimmed(contentOf(path), `${name}_FILE`),
    unless,
  });
  return () => {
    if (itself() === undefined) return file();
    if (file() === undefined) return itself();
    throw new UsageError(`${name}_FILE: ${name} is given too; leave one of them out`);
  };
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new RangeError(`${path} cannot be read`, { cause });
  }
}
