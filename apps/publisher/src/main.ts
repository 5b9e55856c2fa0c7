import { runPublisher } from "@millrace/command";
import { PUBLISHER } from "./publisher.ts";

await runPublisher(PUBLISHER, process.argv.slice(2));
