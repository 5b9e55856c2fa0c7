import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { Deployment } from "kubernetes-models/apps/v1";
import { PodDisruptionBudget } from "kubernetes-models/policy/v1";
import { parseAllDocuments } from "yaml";

const ROOT = join(import.meta.dirname, "../../..");
/** Default of --drain-timeout, and what a program may take after it, s. */
const STOPS_WITHIN_S = 25 + 3;

const documents = parseAllDocuments(
  await readFile(join(ROOT, "tools/kubernetes/aggregator.yml"), "utf8"),
).map((document) => document.toJS() as unknown);
const [deployment, budget] = [
  new Deployment(documents[0] as ConstructorParameters<typeof Deployment>[0]),
  new PodDisruptionBudget(documents[1] as ConstructorParameters<typeof PodDisruptionBudget>[0]),
];
const pod = deployment.spec?.template;
const [container] = pod?.spec?.containers ?? [];
const env = new Map(container?.env?.map(({ name, value }) => [name, value]));

describe("the manifests", () => {
  test("are valid for the API of Kubernetes", () => {
    expect(documents).toHaveLength(2);
    for (const resource of [deployment, budget]) resource.validate();
    const wrong = new Deployment({ metadata: {}, spec: { ...deployment.spec, replicas: "3" } as never });
    expect(() => {
      wrong.validate();
    }).toThrow(/replicas/);
  });

  test("select the pods of the deployment", () => {
    const labels = pod?.metadata?.labels;
    for (const { spec } of [deployment, budget]) expect(spec?.selector?.matchLabels).toEqual(labels);
    expect(pod?.spec?.topologySpreadConstraints?.[0]?.labelSelector?.matchLabels).toEqual(labels);
  });

  test("set variables that the aggregator has, and those of sharing", async () => {
    const options = await readFile(join(ROOT, "docs/options.md"), "utf8");
    for (const name of env.keys()) if (name !== "NODE_OPTIONS") expect(options).toContain(`\`${name}\``);
    expect(env.get("MILLRACE_SHARE")).toBe("true");
    expect(env.get("MILLRACE_TRANSPORT")).toBe("stream");
    expect(Number(env.get("MILLRACE_PARTITIONS"))).toBeGreaterThan(deployment.spec?.replicas ?? Infinity);
  });

  test("probe paths that need no token, on the port of HTTP", async () => {
    const guide = await readFile(join(ROOT, "docs/operate.md"), "utf8");
    const probes = [container?.livenessProbe, container?.readinessProbe, container?.startupProbe];
    expect(probes.map((probe) => probe?.httpGet?.path)).toEqual(["/healthz", "/readyz", "/healthz"]);
    for (const probe of probes) {
      expect(guide).toMatch(new RegExp(`\\| \`${probe?.httpGet?.path ?? ""}\` +\\| no `));
      const port = container?.ports?.find(({ name }) => name === probe?.httpGet?.port);
      expect(String(port?.containerPort)).toBe(env.get("MILLRACE_HTTP_PORT"));
    }
  });

  test("leave time to hand over, and room beside the heap", () => {
    expect(pod?.spec?.terminationGracePeriodSeconds).toBeGreaterThan(STOPS_WITHIN_S);
    const heapMiB = Number(/=(\d+)$/.exec(env.get("NODE_OPTIONS") ?? "")?.[1]);
    expect(container?.resources?.limits?.["memory"]).toBe("1Gi");
    expect(heapMiB).toBeLessThanOrEqual(0.75 * 1_024);
  });
});
