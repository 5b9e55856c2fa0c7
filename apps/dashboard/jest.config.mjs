import base from "../../jest.config.base.mjs";

export default {
  ...base,
  rootDir: import.meta.dirname,
  displayName: "dashboard",
  // Those have a target of their own, which needs the built programs.
  testPathIgnorePatterns: ["<rootDir>/test/browser/"],
};
