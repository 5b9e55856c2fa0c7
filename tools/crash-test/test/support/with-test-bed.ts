import { TestBed } from "../../src/conductor/test-bed.ts";

/** Runs a test with a new test bed, and always cleans up. */
export async function withTestBed<T>(use: (bed: TestBed) => Promise<T>): Promise<T> {
  const bed = await TestBed.open();
  try {
    return await use(bed);
  } finally {
    await bed.close();
  }
}
