"use strict";

const { spawn } = require("node:child_process");
const { once } = require("node:events");

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * Runs a Node program with the standard streams of Nx, and waits for its end, also after a request to stop.
 *
 * The program receives signals directly (from the terminal, or from Nx, which signals the whole tree), so the executor does
 * not forward them. If Nx is killed, the program is asked to stop.
 *
 * @param {{ node: readonly string[], __unparsed__?: readonly string[] }} options
 * @param {{ root: string }} context
 */
module.exports = async function program({ node, __unparsed__: given = [] }, { root }) {
  const child = spawn(process.execPath, [...node, ...given], { cwd: root, stdio: "inherit" });
  const stay = () => {};
  const stop = () => child.kill("SIGTERM");
  for (const signal of SIGNALS) process.on(signal, stay);
  process.on("disconnect", stop);
  try {
    const [code] = await once(child, "exit");
    return { success: code === 0 };
  } finally {
    for (const signal of SIGNALS) process.off(signal, stay);
    process.off("disconnect", stop);
  }
};
