import base from "../../jest.config.base.mjs";

export default {
  ...base,
  rootDir: import.meta.dirname,
  displayName: "aggregator",
  // These tests wait for programs and servers most of the time.
  maxWorkers: 2,
};
