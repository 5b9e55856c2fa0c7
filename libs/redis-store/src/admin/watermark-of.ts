/**
 * The watermark in the state that a window engine keeps of itself, a list with `[watermark, …]` at its second
 * place. What looks otherwise is of another kind of engine, and tells none.
 */
export function watermarkOf(state: string | null): number | undefined {
  const parts: unknown = JSON.parse(state ?? "null");
  const times: unknown = Array.isArray(parts) ? parts[1] : undefined;
  const watermark: unknown = Array.isArray(times) ? times[0] : undefined;
  return typeof watermark === "number" ? watermark : undefined;
}
