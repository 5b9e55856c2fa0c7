export default function broken(): never {
  throw new Error("boom in the factory");
}
