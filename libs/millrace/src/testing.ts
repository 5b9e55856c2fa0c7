/** Flows under a virtual clock, and suites for sources, sinks, stores and windowers of one's own. */
export * from "@millrace/dataflow/testing";
export * from "@millrace/windowing/testing";
