/** A preloaded module cannot import this library, so the two share a symbol of the global registry. */
const KEY = Symbol.for("millrace.before-program");

/**
 * Calls the hook of a preloaded module (`node --import`): a function under `Symbol.for("millrace.before-program")` of the
 * global object. It gets the validated configuration and starts what the program needs.
 *
 * @param stop aborts at the first request to stop; passed on to the hook
 */
export async function beforeProgram(config: unknown, stop: AbortSignal): Promise<void> {
  const callback: unknown = Reflect.get(globalThis, KEY);
  if (isCallback(callback)) await callback(config, stop);
}

function isCallback(value: unknown): value is (config: unknown, stop: AbortSignal) => Promise<void> {
  return typeof value === "function";
}
