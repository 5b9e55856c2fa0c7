import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { GuardedProcess, freePort } from "@millrace/local-redis";
import { kafkaClassPath } from "./jars.ts";
import { LocalKafkaError } from "./local-kafka-error.ts";
import { brokerProperties } from "./properties.ts";
import type { ListenerSpec } from "./properties.ts";

/**
 * A broker that lives for seconds starts faster without the second compiler (C1 only), and without a verification of the
 * classes, whose jars Maven has verified.
 */
const JVM = [
  "-XX:+UseSerialGC",
  "-XX:TieredStopAtLevel=1",
  "-XX:+UnlockDiagnosticVMOptions",
  "-XX:-BytecodeVerificationRemote",
  "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
];
const HEAP = ["-Xmx384m", "-Xms128m"];
const READY_RETRY_MS = 20;

/** Options of a local Kafka. */
export interface LocalKafkaOptions {
  /** Port of the plain listener. `@default a free port` */
  readonly port?: number;
  /** Further listeners, by their names. `@default none` */
  readonly listeners?: Readonly<Record<string, ListenerSpec>>;
  /** Users that SCRAM-SHA-256 and SCRAM-SHA-512 know, with their passwords. `@default none` */
  readonly scramUsers?: Readonly<Record<string, string>>;
  /** Further properties of the broker, which override those that it has. `@default none` */
  readonly properties?: Readonly<Record<string, string>>;
  /** How long (ms) the broker may take to listen. `@default 60_000` */
  readonly startTimeoutMs?: number;
}

/** A program of Kafka's own, such as its console producer. */
export interface KafkaProgram {
  /** Its class, such as `org.apache.kafka.tools.ConsoleProducer`. */
  readonly main: string;
  readonly args: readonly string[];
  /** What it reads. `@default nothing` */
  readonly input?: string;
}

/**
 * A broker, its own controller, that belongs to this process. It always ends with this process, also after kill -9, and
 * its data is removed. It does not keep this process alive.
 */
export interface LocalKafka extends AsyncDisposable {
  /** `host:port` of the plain listener. */
  readonly broker: string;
  /** `host:port` of a further listener. */
  address(listener: string): string;
  /** Sends a signal. If that ends the broker, resolves when it has ended. `@default "SIGKILL"` */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Starts the broker again with the same ports and data, after {@link kill}. @throws LocalKafkaError KAFKA_START_FAILED */
  restart(): Promise<void>;
  /** Runs one of Kafka's programs and returns what it printed. @throws LocalKafkaError KAFKA_PROGRAM_FAILED */
  run(program: KafkaProgram): Promise<string>;
  /** Stops the broker and removes its data. Can be called any number of times. */
  stop(): Promise<void>;
}

/**
 * Starts a Kafka broker on the loopback interface and resolves when it accepts connections. The first call on a machine
 * fetches Kafka from Maven Central.
 *
 * @throws LocalKafkaError KAFKA_JAVA_MISSING, KAFKA_JARS_MISSING, KAFKA_PORT_TAKEN, KAFKA_START_FAILED
 */
export async function startKafka(options: LocalKafkaOptions = {}): Promise<LocalKafka> {
  const classPath = await kafkaClassPath();
  const { listeners = {}, properties = {}, scramUsers = {}, startTimeoutMs = 60_000 } = options;
  const port = options.port ?? (await freePort());
  if (await isListening(port)) {
    throw new LocalKafkaError(
      "KAFKA_PORT_TAKEN",
      `Port ${port} is taken by another process. Choose another port, or stop that process.`,
    );
  }
  const named = Object.entries(listeners).map(async ([name, spec]) => ({
    name,
    spec,
    port: await freePort(),
  }));
  const all = await Promise.all(named);
  const dir = await mkdtemp(join(tmpdir(), "millrace-kafka."));
  const file = join(dir, "server.properties");
  await writeFile(file, brokerProperties({ port, controllerPort: await freePort(), dir, all, properties }));
  const launch: Launch = { classPath, dir, file, port, startTimeoutMs };
  await format(launch, scramUsers);
  const ports = new Map(all.map(({ name, port: of }) => [name, of]));
  return new GuardedKafka(launch, ports, await launchBroker(launch));
}

interface Launch {
  readonly classPath: string;
  readonly dir: string;
  readonly file: string;
  readonly port: number;
  readonly startTimeoutMs: number;
}

class GuardedKafka implements LocalKafka {
  readonly broker: string;
  readonly #launch: Launch;
  readonly #ports: ReadonlyMap<string, number>;
  #process: GuardedProcess;
  #stopped: Promise<void> | undefined;

  constructor(launch: Launch, ports: ReadonlyMap<string, number>, process: GuardedProcess) {
    this.broker = `127.0.0.1:${launch.port}`;
    this.#launch = launch;
    this.#ports = ports;
    this.#process = process;
  }

  address(listener: string): string {
    const port = this.#ports.get(listener);
    if (port === undefined) throw new RangeError(`there is no listener ${listener}`);
    return `127.0.0.1:${port}`;
  }

  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    this.#process.kill(signal);
    if (["SIGKILL", "SIGTERM", "SIGINT"].includes(signal)) await this.#process.gone();
  }

  async restart(): Promise<void> {
    await this.#process.end("keep");
    this.#process = await launchBroker(this.#launch);
  }

  async run({ main, args, input }: KafkaProgram): Promise<string> {
    return runJava(this.#launch.classPath, [main, ...args], input);
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#process.end("remove");
    return this.#stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

async function format({ classPath, file }: Launch, users: Readonly<Record<string, string>>): Promise<void> {
  const scram = Object.entries(users).flatMap(([name, password]) =>
    ["SCRAM-SHA-256", "SCRAM-SHA-512"].flatMap((mechanism) => [
      "--add-scram",
      `${mechanism}=[name=${name},password=${password}]`,
    ]),
  );
  // Any id will do, as the cluster is new.
  const id = "AAAAAAAAAAAAAAAAAAAAAA";
  await runJava(classPath, ["kafka.tools.StorageTool", "format", "-t", id, "-c", file, ...scram]);
}

async function launchBroker({ classPath, dir, file, port, startTimeoutMs }: Launch): Promise<GuardedProcess> {
  const command = ["java", ...HEAP, ...JVM, "-cp", classPath, "kafka.Kafka", file];
  const process = await GuardedProcess.start(command, { dir, atEnd: "remove" });
  const over = new AbortController();
  void process.ended.then(() => {
    over.abort();
  });
  const deadline = AbortSignal.timeout(startTimeoutMs);
  while (!(await isListening(port))) {
    const ended = over.signal.aborted;
    if (ended || deadline.aborted) {
      const story = process.output.trim();
      await process.end("remove");
      const why = ended ? "ended while starting" : `did not listen within ${startTimeoutMs} ms`;
      throw new LocalKafkaError("KAFKA_START_FAILED", `The broker ${why}. The end of its log:\n${story}`);
    }
    await delay(READY_RETRY_MS);
  }
  return process;
}

async function runJava(classPath: string, command: readonly string[], input = ""): Promise<string> {
  const child = spawn("java", [...JVM, "-cp", classPath, ...command], { stdio: ["pipe", "pipe", "pipe"] });
  let output = "";
  let errors = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  // A program that ends early does not read all of its input.
  child.stdin.on("error", () => undefined).end(input);
  await once(child, "close");
  if (child.exitCode !== 0) {
    throw new LocalKafkaError(
      "KAFKA_PROGRAM_FAILED",
      `java ${command.join(" ")} failed:\n${output}${errors}`,
    );
  }
  return output;
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
