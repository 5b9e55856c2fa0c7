import { Dataflow } from "millrace";

export default ({ source, out }) => {
  const flow = new Dataflow("lines");
  flow
    .input("lines", source)
    .map((line) => line.toUpperCase())
    .output("out", out);
  return flow;
};
