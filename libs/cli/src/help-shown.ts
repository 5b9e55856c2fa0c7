/** Thrown by {@link CommandLine.parse} after it has printed the help or the version, to end the program. */
export class HelpShown extends Error {
  constructor() {
    super("the help was shown");
    this.name = "HelpShown";
  }
}
