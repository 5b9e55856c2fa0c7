/** Keeps what an async function returned for up to `max` texts. Calls for one text share it; failures are not kept. */
export function cached<T>(fn: (text: string) => Promise<T>, max = 1_000): (text: string) => Promise<T> {
  const kept = new Map<string, Promise<T>>();
  return (text) => {
    const known = kept.get(text);
    if (known !== undefined) return known;
    const result = fn(text);
    kept.set(text, result);
    result.catch(() => kept.delete(text));
    const [oldest] = kept.keys();
    if (kept.size > max && oldest !== undefined) kept.delete(oldest);
    return result;
  };
}
