// Prints its arguments, waits for SIGINT, then prints the rest after a short delay and ends.
import { clearInterval, setInterval, setTimeout } from "node:timers";

process.stdout.write(`${JSON.stringify(process.argv.slice(2))}\n`);
const waiting = setInterval(() => undefined, 1_000);
process.once("SIGINT", () => {
  setTimeout(() => {
    process.stdout.write("last row\n");
    clearInterval(waiting);
  }, 300);
});
process.on("SIGTERM", () => undefined);
