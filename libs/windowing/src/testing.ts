export { windowerConformance } from "./testing/windower-conformance.ts";

export type { WindowerDemand, WindowerHarness } from "./testing/windower-conformance.ts";
