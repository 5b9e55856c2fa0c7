import { UsageError, integer, secretOption, text } from "@millrace/cli";
import type { CommandLine, Value } from "@millrace/cli";

/** How a run is shown over HTTP. */
export interface HttpSettings {
  /** 0: a free one. */
  readonly port: number;
  readonly host: string;
  /** `undefined`: every program that reaches the port may read. */
  readonly token: string | undefined;
}

/** What looks at a run. */
export interface ObserveSettings {
  /** `undefined`: no HTTP. */
  readonly http: HttpSettings | undefined;
  /** Whether OpenTelemetry spans are made. */
  readonly trace: boolean;
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/i;

/**
 * Declares the options of HTTP and of tracing.
 *
 * The value throws a UsageError for a host that others can reach if there is no token.
 */
export function httpOptions(cli: CommandLine): Value<ObserveSettings> {
  const port = cli.option({
    flag: "--http <port>",
    env: "MILLRACE_HTTP_PORT",
    description:
      "show the run over HTTP: a page, health, metrics; 0 is a free port. It needs the package @millrace/dashboard",
    parse: integer(0, 65_535),
    defaultText: "no HTTP",
  });
  const host = cli.option(
    {
      flag: "--http-host <host>",
      env: "MILLRACE_HTTP_HOST",
      description: "with --http: address to listen on; any but this machine's own needs MILLRACE_HTTP_TOKEN",
      parse: text,
    },
    "127.0.0.1",
  );
  const token = secretOption(
    cli,
    "MILLRACE_HTTP_TOKEN",
    "with --http: token that readers have to give, on the page or as a bearer token",
  );
  const trace = cli.toggle({
    flag: "--trace",
    env: "MILLRACE_TRACE",
    description:
      "make OpenTelemetry spans of batches, commits, closing windows and writes, for an SDK that a preloaded module registers. It needs the packages @millrace/observe and @opentelemetry/api",
  });
  return () => {
    const given = port();
    if (given === undefined) {
      cli.withoutEffect(host, "it needs --http");
      return { http: undefined, trace: trace() };
    }
    if (!LOOPBACK.test(host()) && token() === undefined) {
      throw new UsageError(
        `${cli.givenAs(host) ?? "--http-host"}: others can reach ${host()}; set MILLRACE_HTTP_TOKEN (or _FILE) to what ` +
          "readers have to give, such as the output of: openssl rand -hex 32",
      );
    }
    return { http: { port: given, host: host(), token: token() }, trace: trace() };
  };
}
