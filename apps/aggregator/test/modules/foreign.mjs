import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { IterableSource, StdoutSink } from "@millrace/dataflow";

/* As if this file had its own copy of the library: one beside it, which finds the same packages. */
const library = fileURLToPath(new URL("../../../../libs/dataflow/", import.meta.url));
const copy = mkdtempSync(join(library, "out-tsc-copy-"));
process.once("exit", () => rmSync(copy, { recursive: true }));
cpSync(join(library, "dist"), copy, { recursive: true });
const { Dataflow } = await import(pathToFileURL(join(copy, "index.js")).href);

export const flow = new Dataflow("foreign");
flow.input("numbers", new IterableSource([1, 2])).output("out", new StdoutSink());
