/** Wraps what was thrown in an error that names the code it came from. */
export type NameOf = (error: unknown) => Error;

/** Returns what a call of foreign code returns. @throws its error, wrapped so that it names that code */
export function named<T>(call: () => T, nameOf: NameOf): T {
  try {
    return call();
  } catch (error) {
    throw nameOf(error);
  }
}

/** The same for an awaited call. It may also throw synchronously if it is no async function. */
export async function namedAsync<T>(call: () => Promise<T>, nameOf: NameOf): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw nameOf(error);
  }
}
