import base from "../../jest.config.base.mjs";

export default { ...base, rootDir: import.meta.dirname, displayName: "kafka-source" };
