/** Projects for flows, made of a template. The command is `bin.ts`. */
export { CreateProjectError, createProject } from "./create-project.ts";
export type { CreatedProject } from "./create-project.ts";
