import { createHash } from "node:crypto";
import { version } from "@swc/core";
import swc from "@swc/jest";

/**
 * A Jest transformer: TypeScript through swc, with a cache that all projects share. The key of `@swc/jest` has the project in
 * it, so that each project would compile the sources of the others again.
 */
export default {
  createTransformer(options) {
    const transformer = swc.createTransformer(options);
    const ofOptions = JSON.stringify([version, options]);
    return {
      ...transformer,
      getCacheKey: (source, path, { supportsStaticESM }) =>
        createHash("sha1")
          .update(JSON.stringify([ofOptions, supportsStaticESM, path, source]))
          .digest("hex"),
    };
  },
};
