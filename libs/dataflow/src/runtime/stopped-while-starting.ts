/** The reason why an opening was aborted. */
export class StoppedWhileStarting extends Error {
  constructor() {
    super("the run was stopped while it started");
  }
}
