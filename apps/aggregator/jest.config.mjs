import base from "../../jest.config.base.mjs";

// Whole programs are started here, which takes its time on a busy machine.
export default { ...base, rootDir: import.meta.dirname, displayName: "aggregator", testTimeout: 60_000 };
