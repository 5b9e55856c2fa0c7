/** A further listener of a broker. */
export interface ListenerSpec {
  readonly protocol: "PLAINTEXT" | "SASL_PLAINTEXT" | "SSL" | "SASL_SSL";
  /** Properties of this listener alone, without the prefix `listener.name.<name>.`. `@default none` */
  readonly properties?: Readonly<Record<string, string>>;
  /** The port that clients get from the broker, such as that of a proxy. `@default the listener's own` */
  readonly advertisedPort?: number;
}

/** What the properties of a broker are made from. */
export interface BrokerSettings {
  readonly port: number;
  readonly controllerPort: number;
  /** Its working directory. */
  readonly dir: string;
  readonly all: readonly { readonly name: string; readonly port: number; readonly spec: ListenerSpec }[];
  readonly properties: Readonly<Record<string, string>>;
}

/** Topics of the broker's own with one partition and one copy, few threads, and no pause before a group begins. */
const SMALL = {
  "process.roles": "broker,controller",
  "node.id": "1",
  "controller.listener.names": "CONTROLLER",
  "inter.broker.listener.name": "PLAINTEXT",
  "offsets.topic.replication.factor": "1",
  "offsets.topic.num.partitions": "1",
  "transaction.state.log.replication.factor": "1",
  "transaction.state.log.min.isr": "1",
  "transaction.state.log.num.partitions": "1",
  "share.coordinator.state.topic.replication.factor": "1",
  "share.coordinator.state.topic.min.isr": "1",
  "group.initial.rebalance.delay.ms": "0",
  "auto.create.topics.enable": "false",
  "num.network.threads": "1",
  "num.io.threads": "2",
  "background.threads": "2",
  // A broker that was killed can register again only when its session is over.
  "broker.session.timeout.ms": "1500",
  "broker.heartbeat.interval.ms": "300",
} as const;

/** The text of a broker's properties file. */
export function brokerProperties({ port, controllerPort, dir, all, properties }: BrokerSettings): string {
  const listeners = [
    { name: "PLAINTEXT", port, protocol: "PLAINTEXT", advertised: port },
    ...all.map(({ name, port: at, spec: { protocol, advertisedPort: advertised = at } }) => {
      return { name, port: at, protocol, advertised };
    }),
  ];
  const controller = { name: "CONTROLLER", port: controllerPort, protocol: "PLAINTEXT" };
  const addresses = (of: readonly { readonly name: string; readonly port: number }[]): string =>
    of.map(({ name, port: at }) => `${name}://127.0.0.1:${at}`).join(",");
  const ofListeners = all.flatMap(({ name, spec }) =>
    Object.entries(spec.properties ?? {}).map(
      ([key, value]) => [`listener.name.${name.toLowerCase()}.${key}`, value] as const,
    ),
  );
  const lines = {
    ...SMALL,
    "controller.quorum.voters": `1@127.0.0.1:${controllerPort}`,
    listeners: addresses([...listeners, controller]),
    "advertised.listeners": addresses(listeners.map(({ name, advertised }) => ({ name, port: advertised }))),
    "listener.security.protocol.map": [...listeners, controller]
      .map(({ name, protocol }) => `${name}:${protocol}`)
      .join(","),
    "log.dirs": `${dir}/data`,
    ...Object.fromEntries(ofListeners),
    ...properties,
  };
  return Object.entries(lines)
    .map(([key, value]) => `${key}=${escaped(value)}\n`)
    .join("");
}

/** Java's properties end a value at a line feed, and take a backslash for themselves. */
function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}
