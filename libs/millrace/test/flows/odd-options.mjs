export const options = { limit: { flag: "limit", description: "…" } };
export default () => undefined;
