import type { Source } from "@millrace/dataflow";
import type { TestingSource } from "@millrace/dataflow/testing";
import { withParts } from "./with-parts.ts";

/** The same source, which cannot prove that nothing is left to read. */
export function withoutProof<T>(inner: TestingSource<T>): Source<T> & { readonly inner: TestingSource<T> } {
  return { ...withParts(inner, () => ({})), inner };
}
