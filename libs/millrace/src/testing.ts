/** Flows under a virtual clock, and suites for custom sources, sinks, stores and windowers. */
export * from "@millrace/dataflow/testing";
export * from "@millrace/windowing/testing";
