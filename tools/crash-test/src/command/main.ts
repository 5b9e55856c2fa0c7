import { millrace } from "@millrace/command";

/* The command as users get it. */
void millrace(process.argv.slice(2));
