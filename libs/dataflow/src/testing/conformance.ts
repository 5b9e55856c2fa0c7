/** One requirement of a contract. Any test runner can run it: `for (const { name, run } of cases) test(name, run)`. */
export interface ConformanceCase {
  readonly name: string;
  /** Rejects with an assertion error if the requirement is not met. */
  readonly run: () => Promise<void>;
}

/** Lets everything that is ready run: long enough to show that a promise waits for something else. */
export async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** The present state of a promise. */
export async function stateOf(promise: Promise<unknown>): Promise<"pending" | "settled"> {
  const pending = Symbol("pending");
  await turns();
  const first = await Promise.race([
    promise.then(
      () => "settled",
      () => "settled",
    ),
    Promise.resolve(pending),
  ]);
  return first === pending ? "pending" : "settled";
}

/** Rejects if the promise has not settled within this time (ms of real time), so that a hang is reported by name. */
export async function within<T>(promise: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`${what} took more than ${ms} ms`));
    }, ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
