#!/usr/bin/env node
import { millrace } from "@millrace/command";

// No await on the top level, so that the file can be required, too.
void millrace(process.argv.slice(2));
