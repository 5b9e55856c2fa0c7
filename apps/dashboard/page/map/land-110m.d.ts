/** TypeScript reads a JSON file's texts as any text, so that its `type` would not be one of a topology. */
declare module "world-atlas/land-110m.json" {
  import type { Topology } from "topojson-specification";

  const land: Topology;
  export default land;
}
