export { DEFAULT_GENERATOR_OPTIONS, generateClicks } from "./generate-clicks.ts";
export { TIME_ZONES } from "./time-zones.ts";

export type { GeneratorOptions } from "./generate-clicks.ts";
