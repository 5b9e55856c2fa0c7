export { startProgram } from "./start-program.ts";

export type { LogLine, ProgramEnd, StartedProgram, StartProgramOptions } from "./start-program.ts";
