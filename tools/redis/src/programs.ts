export { startProcess, startProgram } from "./start-program.ts";

export type {
  LogLine,
  ProgramEnd,
  StartedProgram,
  StartProcessOptions,
  StartProgramOptions,
} from "./start-program.ts";
