/** Thrown by {@link CommandLine.parse} after it has printed the help or the version: there is nothing left to do. */
export class HelpShown extends Error {
  constructor() {
    super("the help was shown");
    this.name = "HelpShown";
  }
}
