import { Bed } from "./bed.ts";

/** Opens a bed for as long as it is used; it closes at once when the signal says so. */
export async function withBed(signal: AbortSignal, use: (bed: Bed) => Promise<void>): Promise<void> {
  const bed = await Bed.open();
  signal.addEventListener("abort", () => void bed.close());
  try {
    await use(bed);
  } catch (error) {
    // What was under way fails as well when everything ends.
    signal.throwIfAborted();
    throw error;
  } finally {
    await bed.close();
  }
}
