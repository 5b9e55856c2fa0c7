/**
 * A function made of text, so that the names of fields stand in it as in code written by hand: an access by a name out
 * of a variable takes ten times as long, which adds up to a fifth of all that a line takes.
 *
 * The text has names of the program's schema, each through {@link quoted}; a line has no say in it.
 *
 * @returns undefined where code may not be made of text (`--disallow-code-generation-from-strings`)
 */
export function compile(
  parameters: readonly string[],
  body: string,
): ((...args: unknown[]) => unknown) | undefined {
  try {
    // eslint-disable-next-line @typescript-eslint/no-implied-eval
    const compiled: unknown = new Function(...parameters, body);
    return isFunction(compiled) ? compiled : undefined;
  } catch {
    return undefined;
  }
}

/** A text as a literal of JavaScript. Not for `__proto__` as a member's name: that means something else there. */
export function quoted(text: string): string {
  return JSON.stringify(text);
}

function isFunction(value: unknown): value is (...args: unknown[]) => unknown {
  return typeof value === "function";
}
