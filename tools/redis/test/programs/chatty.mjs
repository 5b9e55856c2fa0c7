/* Prints a row, writes a log line and another line on stderr, and ends with the exit code given as its argument. */
process.stdout.write(`{"row":1}\n`);
process.stderr.write(`{"level":"info","event":"done","msg":"all done"}\nWarning: something\n`);
process.exitCode = Number(process.argv[2]);
