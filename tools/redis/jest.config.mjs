import base from "../../jest.config.base.mjs";

export default {
  ...base,
  rootDir: import.meta.dirname,
  displayName: "redis",
  // These tests start programs; a busy machine may take seconds for one.
  testTimeout: 30_000,
};
