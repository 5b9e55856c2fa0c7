/** Makes of what was thrown an error that says whose it is. */
export type NameOf = (error: unknown) => Error;

/** What a call of somebody else's code returns. @throws what it throws, as an error that names whose code it is */
export function named<T>(call: () => T, nameOf: NameOf): T {
  try {
    return call();
  } catch (error) {
    throw nameOf(error);
  }
}

/** The same for a call that is awaited. It may throw at once, too, where it is no async function. */
export async function namedAsync<T>(call: () => Promise<T>, nameOf: NameOf): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw nameOf(error);
  }
}
