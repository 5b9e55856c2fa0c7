import base from "../../jest.config.base.mjs";

const { reporters, testTimeout, ...common } = base;
const project = { ...common, rootDir: import.meta.dirname };

export default {
  reporters,
  testTimeout,
  projects: [
    { ...project, displayName: "redis-source" },
    // What reads Pub/Sub, once more with the client library's own events.
    {
      ...project,
      displayName: "redis-source, library events",
      id: "redis-source-library-events",
      testMatch: ["conformance", "pubsub/{overflow,pubsub-source,sharded,shutdown}"].map(
        (name) => `<rootDir>/test/${name}.test.ts`,
      ),
      setupFiles: ["<rootDir>/test/support/library-events.mjs"],
    },
  ],
};
