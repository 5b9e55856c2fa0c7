/** Longer than any test may take, so that a wait that fails does not outlive its test by much. */
const LIMIT_MS = 20_000;

/** Yields to the event loop until the condition holds. */
export async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + LIMIT_MS;
  while (!condition()) {
    if (Date.now() > deadline)
      throw new Error(`waited ${LIMIT_MS} ms without success for ${String(condition)}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
