import { Bed } from "./bed.ts";
import { BenchInterruptedError } from "./interrupted-error.ts";

/**
 * Opens a bed for as long as it is used; it closes at once when the signal says so.
 *
 * @throws BenchInterruptedError when the signal came before the end
 */
export async function withBed(signal: AbortSignal, use: (bed: Bed) => Promise<void>): Promise<void> {
  const bed = await Bed.open();
  signal.addEventListener("abort", () => void bed.close());
  try {
    await use(bed);
  } catch (error) {
    // What was under way fails as well when everything ends.
    throw signal.aborted ? new BenchInterruptedError() : error;
  } finally {
    await bed.close();
  }
}
