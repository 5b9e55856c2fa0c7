import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { parse } from "yaml";

interface Service {
  readonly image?: string;
  readonly build?: { readonly context: string; readonly target?: string };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly profiles?: readonly string[];
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

interface PrometheusConfig {
  readonly rule_files: readonly string[];
  readonly scrape_configs: readonly {
    readonly job_name: string;
    readonly authorization: { readonly credentials_file: string };
    readonly static_configs: readonly { readonly targets: readonly string[] }[];
  }[];
}

const execute = promisify(execFile);
const ROOT = join(import.meta.dirname, "../../..");
const read = (path: string): Promise<string> => readFile(join(ROOT, path), "utf8");
const readYaml = async (path: string): Promise<unknown> => parse(await read(path), { merge: true });

const compose = (await readYaml("docker-compose.yml")) as Compose;
const dockerfile = await read("Dockerfile");
const services = Object.entries(compose.services).map(([name, service]) => ({ name, ...service }));

/** What is mounted where, for each service. */
function mountsOf(name: string): { readonly from: string; readonly to: string }[] {
  return (compose.services[name]?.volumes ?? []).map((volume) => {
    const [from = "", to = ""] = volume.split(":");
    return { from, to };
  });
}

describe("each service", () => {
  test.each(services)("$name has a pinned image or a target of the Dockerfile", ({ image, build }) => {
    if (build === undefined) expect(image).toMatch(/^[a-z/]+:v?\d[\w.-]*$/);
    else expect(dockerfile).toMatch(new RegExp(`^FROM \\S+ AS ${build.target ?? ""}$`, "m"));
  });

  test.each(services)("$name publishes ports on this machine's loopback only", ({ ports = [] }) => {
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
  });

  test.each(services)("$name mounts volumes and files that exist", ({ name }) => {
    for (const { from, to } of mountsOf(name)) {
      expect(from.startsWith(".") ? existsSync(join(ROOT, from)) : from in compose.volumes).toBe(true);
      expect(posix.isAbsolute(to)).toBe(true);
    }
  });

  test.each(services)(
    "$name waits for services that exist, and that can say so",
    ({ profiles, depends_on = {} }) => {
      for (const [other, { condition }] of Object.entries(depends_on)) {
        const service = compose.services[other];
        expect([other, service]).toEqual([other, expect.anything()]);
        if (condition === "service_healthy") expect(service?.healthcheck).toBeDefined();
        // A service without a profile always starts, so what it waits for has none.
        expect(service?.profiles ?? profiles).toEqual(profiles);
      }
    },
  );

  test("gets variables of the apps that there are", async () => {
    const options = await read("docs/options.md");
    const names = services.flatMap(({ environment = {} }) => Object.keys(environment));
    const ours = names.filter((name) => !name.startsWith("GF_"));
    expect(ours.filter((name) => !options.includes(`\`${name}\``))).toEqual([]);
  });
});

describe("the image", () => {
  test("has the apps and the page, built", () => {
    const [, projects = ""] = /--target=build --projects=(\S+)/.exec(dockerfile) ?? [];
    expect(projects.split(",").sort()).toEqual(["aggregator", "dashboard", "publisher"]);
    // Without tests, which .dockerignore leaves out, Nx would refuse references that only they need.
    expect(dockerfile).toMatch(/--target=build .*--skip-sync$/m);
  });

  test("copies folders that exist, and starts programs that are built", () => {
    for (const [, path = ""] of dockerfile.matchAll(/^COPY --from=build \/millrace\/(\S+)/gm)) {
      expect([path, existsSync(join(ROOT, path))]).toEqual([path, true]);
    }
    const entries = [...dockerfile.matchAll(/^ENTRYPOINT \["node", "(\S+)"\]/gm)].map(
      ([, path = ""]) => path,
    );
    expect(entries).toHaveLength(2);
    for (const entry of entries) {
      const source = entry.replace("/dist/", "/src/").replace(/js$/, "ts");
      expect([source, existsSync(join(ROOT, source))]).toEqual([source, true]);
    }
  });
});

describe("the token", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "millrace-token-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test("is made once, at random, and others may read it", async () => {
    const [script = ""] = compose.services["token"]?.command ?? [];
    const make = async (): Promise<string> => {
      await execute("sh", ["-euc", script.replaceAll("/run/millrace", folder)]);
      return await readFile(join(folder, "token"), "utf8");
    };
    const token = await make();
    expect(token).toMatch(/^[0-9a-f]{64}$/);
    expect(await make()).toBe(token);
    await rm(join(folder, "token"));
    expect(await make()).not.toBe(token);
  });

  test("is the same for the page, Prometheus and Grafana", async () => {
    const { scrape_configs } = (await readYaml("tools/grafana/prometheus.yml")) as PrometheusConfig;
    const path = compose.services["aggregator"]?.environment?.["MILLRACE_HTTP_TOKEN_FILE"] ?? "";
    expect(scrape_configs.map(({ authorization }) => authorization.credentials_file)).toEqual([path]);
    expect(compose.services["grafana"]?.environment?.["GF_SECURITY_ADMIN_PASSWORD__FILE"]).toBe(path);
    for (const name of ["token", "aggregator", "prometheus", "grafana"]) {
      expect(mountsOf(name)).toContainEqual({ from: "token", to: posix.dirname(path) });
    }
  });
});

describe("Prometheus and Grafana", () => {
  test("read the port of the aggregator, and rules that are mounted", async () => {
    const { rule_files, scrape_configs } = (await readYaml(
      "tools/grafana/prometheus.yml",
    )) as PrometheusConfig;
    const port = compose.services["aggregator"]?.environment?.["MILLRACE_HTTP_PORT"] ?? "";
    expect(scrape_configs).toMatchObject([
      { job_name: "millrace", static_configs: [{ targets: [`aggregator:${port}`] }] },
    ]);
    expect(compose.services["aggregator"]?.ports).toEqual([`127.0.0.1:${port}:${port}`]);
    const mounted = mountsOf("prometheus").map(({ to }) => to);
    expect(mounted).toEqual(
      expect.arrayContaining(rule_files.map((file) => posix.join("/etc/prometheus", file))),
    );
  });

  test("find each other, and the dashboard", async () => {
    const provisioning = "tools/grafana/provisioning";
    expect(await readYaml(`${provisioning}/datasources/prometheus.yml`)).toMatchObject({
      datasources: [{ type: "prometheus", url: "http://prometheus:9090" }],
    });
    const dashboard = mountsOf("grafana").find(({ from }) => from.endsWith("/dashboard.json"))?.to ?? "";
    expect(await readYaml(`${provisioning}/dashboards/millrace.yml`)).toMatchObject({
      providers: [{ options: { path: posix.dirname(dashboard) } }],
    });
    expect(compose.services["grafana"]?.environment?.["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]).toBe(
      dashboard,
    );
  });
});

test.each([
  [200, 0],
  [503, 1],
])("the health check of the aggregator, if /readyz answers %i, ends with %i", async (status, code) => {
  const server = createServer((request, response) => {
    response.writeHead(request.url === "/readyz" ? status : 404).end();
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  const [, program, flag = "", script = ""] = compose.services["aggregator"]?.healthcheck?.test ?? [];
  expect(program).toBe("node");
  const ended = await execute(process.execPath, [flag, script.replace("9100", String(port))]).then(
    () => 0,
    (error: unknown) => (error as { readonly code: number }).code,
  );
  server.close();
  expect(ended).toBe(code);
});
