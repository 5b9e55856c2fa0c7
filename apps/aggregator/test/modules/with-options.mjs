import { flow } from "./foreign.mjs";

export const options = { loud: { description: "in capital letters" } };
export default flow;
