export const options = { mine: { flag: "--window <size>", description: "…", parse: String } };
export default () => undefined;
