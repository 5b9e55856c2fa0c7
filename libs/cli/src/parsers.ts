import { statSync } from "node:fs";
import { resolve } from "node:path";

/**
 * Parses the text of an option or a variable.
 *
 * @throws RangeError that says what is wrong and what is expected; the caller adds the name of the option
 */
export type Parser<T> = (text: string) => T;

/** Text that is not empty. */
export const text: Parser<string> = (given) => {
  if (given === "") throw new RangeError("is empty");
  return given;
};

/** `true`, `yes`, `1`, `false`, `no` or `0`. */
export const boolean: Parser<boolean> = (given) => {
  if (/^(true|yes|1)$/i.test(given)) return true;
  if (/^(false|no|0)$/i.test(given)) return false;
  throw new RangeError(`${quoted(given)} is neither true nor false`);
};

/** A whole number between two others, both included. */
export function integer(least: number, most: number): Parser<number> {
  return (given) => {
    const value = /^[+-]?\d+$/.test(given) ? Number(given) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new RangeError(`${quoted(given)} is not a whole number from ${least} to ${most}`);
  };
}

/** A number above 0, fractions allowed. */
export const positive: Parser<number> = (given) => {
  const value = decimal(given);
  if (value > 0) return value;
  throw new RangeError(`${quoted(given)} is not a number above 0`);
};

/** 0 or a number above it, fractions allowed. */
export const notNegative: Parser<number> = (given) => {
  const value = decimal(given);
  if (value >= 0) return value;
  throw new RangeError(`${quoted(given)} is not a number, 0 or above`);
};

/** One of a few words. */
export function oneOf<Word extends string>(words: readonly Word[]): Parser<Word> {
  return (given) => {
    const word = words.find((each) => each === given);
    if (word !== undefined) return word;
    throw new RangeError(`${quoted(given)} is none of ${words.join(", ")}`);
  };
}

/** Values separated by commas, each parsed by the given parser. */
export function listOf<T>(each: Parser<T>): Parser<readonly T[]> {
  return (given) => given.split(",").map((item) => each(item.trim()));
}

// Number() alone accepts "", " ", "0x10" and "Infinity".
function decimal(given: string): number {
  return /^\d+(\.\d+)?$/.test(given) ? Number(given) : Number.NaN;
}

function quoted(given: string): string {
  return JSON.stringify(given);
}

/**
 * Finds a file that the user named. A relative path is resolved against the directory in which the command was typed (a
 * task runner may have changed it since), then against the working directory.
 *
 * @param env environment; `INIT_CWD` is the directory in which the command was typed
 * @returns its absolute path
 * @throws RangeError with the paths that were tried
 */
export function findFile(given: string, env: Readonly<Record<string, string | undefined>>): string {
  const candidates = new Set([env["INIT_CWD"] ?? "", process.cwd()].map((folder) => resolve(folder, given)));
  for (const path of candidates) {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.isDirectory() === true) throw new RangeError(`${path} is a directory`);
    if (found !== undefined) return path;
  }
  throw new RangeError(`there is no file ${[...candidates].join(" or ")}`);
}
