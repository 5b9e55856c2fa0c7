const STOP_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Why a program is asked to stop, for its log. */
export type StopReason = (typeof STOP_SIGNALS)[number] | "the parent process is gone";

/**
 * Calls back at the first request to stop: SIGINT, SIGTERM, SIGHUP, or the end of a parent process with an IPC channel.
 * Later requests are ignored, since one Ctrl-C may arrive several times: from the terminal, from a task runner and from
 * the parent.
 */
export function onStopRequest(callback: (reason: StopReason) => void): void {
  let stopped = false;
  const stop = (reason: StopReason): void => {
    if (stopped) return;
    stopped = true;
    callback(reason);
  };
  for (const signal of STOP_SIGNALS) {
    process.on(signal, () => {
      stop(signal);
    });
  }
  if (process.channel === undefined) return;
  process.on("disconnect", () => {
    stop("the parent process is gone");
  });
  // Otherwise the listener keeps a program alive that is done.
  process.channel.unref();
}
