/** Why something that was being opened is not wanted any more. */
export class StoppedWhileStarting extends Error {
  constructor() {
    super("the run was stopped while it started");
  }
}
