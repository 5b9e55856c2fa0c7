import { writeFileSync } from "node:fs";

import { VECTOR_FILES } from "./files.ts";

for (const { path, text } of VECTOR_FILES) {
  writeFileSync(path, text());
  console.log(`written: ${path}`);
}
