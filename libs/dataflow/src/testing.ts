// For users whose compiler includes no types on its own: some signatures have types of Node.
/// <reference types="node" preserve="true" />
export { CrashingStore, SimulatedCrash } from "./testing/crashing-store.ts";
export { FlowDriver } from "./testing/flow-driver.ts";
export { MemoryLeaseTable } from "./testing/memory-lease-table.ts";
export { TestingSink } from "./testing/testing-sink.ts";
export { TestingSource } from "./testing/testing-source.ts";
export { VirtualTime } from "./testing/virtual-time.ts";
export { assignmentConformance } from "./testing/assignment-conformance.ts";
export { sinkConformance } from "./testing/sink-conformance.ts";
export { sourceConformance } from "./testing/source-conformance.ts";
export { storeConformance } from "./testing/store-conformance.ts";

export type { AssignmentFixture, AssignmentHarness } from "./testing/assignment-conformance.ts";
export type { ConformanceCase } from "./testing/conformance.ts";
export type { CrashPoint } from "./testing/crashing-store.ts";
export type { FlowDriverOptions } from "./testing/flow-driver.ts";
export type { SinkFixture, SinkHarness } from "./testing/sink-conformance.ts";
export type { SourceFixture, SourceHarness } from "./testing/source-conformance.ts";
export type { StoreFixture, StoreHarness } from "./testing/store-conformance.ts";
export type { TestingSourceOptions } from "./testing/testing-source.ts";
