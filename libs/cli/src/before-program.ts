/** A module imported in front of a program may belong to no library of this one, so the two meet under this symbol. */
const KEY = Symbol.for("millrace.before-program");

/**
 * Calls what a module that was imported in front of the program (`node --import`) has left under
 * `Symbol.for("millrace.before-program")` of the global object: a function that gets the configuration, once that is
 * known to be right, and brings up what the program needs.
 *
 * @param stop aborts at the first request to stop; the function gets it as well
 */
export async function beforeProgram(config: unknown, stop: AbortSignal): Promise<void> {
  const callback: unknown = Reflect.get(globalThis, KEY);
  if (isCallback(callback)) await callback(config, stop);
}

function isCallback(value: unknown): value is (config: unknown, stop: AbortSignal) => Promise<void> {
  return typeof value === "function";
}
