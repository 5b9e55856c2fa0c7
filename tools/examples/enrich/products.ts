export interface Product {
  readonly name: string;
  readonly cents: number;
}

const PRODUCTS = new Map<string, Product>([
  ["t-1", { name: "tea", cents: 400 }],
  ["j-1", { name: "jam", cents: 650 }],
]);
let calls = 0;

/** Stands for a service, such as `fetch("https://…/products/" + sku)`. Its second call fails, as calls do now and then. */
export async function productOf(sku: string): Promise<Product> {
  calls += 1;
  const call = calls;
  console.error(`call ${call}: ${sku}`);
  await new Promise((resolve) => setTimeout(resolve, 20));
  if (call === 2) throw new Error("the service is busy");
  const product = PRODUCTS.get(sku);
  if (product === undefined) throw new Error(`there is no product ${sku}`);
  return product;
}
