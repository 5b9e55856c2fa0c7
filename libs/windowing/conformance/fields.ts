/** A file of vectors that cannot be read as one. */
export class MalformedVectorsError extends Error {}

/** Reads fields of a JSON object, and says which one is not what it must be. */
export class Fields {
  readonly #path: string;
  readonly #object: Readonly<Record<string, unknown>>;

  constructor(json: unknown, path: string) {
    if (typeof json !== "object" || json === null || Array.isArray(json)) {
      throw new MalformedVectorsError(`${path} must be an object, but is ${print(json)}.`);
    }
    this.#object = json as Readonly<Record<string, unknown>>;
    this.#path = path;
  }

  names(): readonly string[] {
    return Object.keys(this.#object);
  }

  has(name: string): boolean {
    return this.#object[name] !== undefined;
  }

  /** Whatever the field is. */
  any(name: string): unknown {
    return this.#object[name];
  }

  number(name: string): number {
    const value = this.#object[name];
    return typeof value === "number" ? value : this.#refuse(name, "a number");
  }

  optionalNumber(name: string): number | undefined {
    return this.has(name) ? this.number(name) : undefined;
  }

  text(name: string): string {
    const value = this.#object[name];
    return typeof value === "string" ? value : this.#refuse(name, "a text");
  }

  optionalText(name: string): string | undefined {
    return this.has(name) ? this.text(name) : undefined;
  }

  /** False where absent. */
  flag(name: string): boolean {
    const value = this.#object[name] ?? false;
    return typeof value === "boolean" ? value : this.#refuse(name, "true or false");
  }

  /** One of a few texts; the first one where absent. */
  oneOf<T extends string>(name: string, ...choices: readonly [T, ...T[]]): T {
    const value = this.#object[name] ?? choices[0];
    return choices.find((choice) => choice === value) ?? this.#refuse(name, `one of ${choices.join(", ")}`);
  }

  list(name: string): readonly unknown[] {
    const value = this.#object[name];
    return Array.isArray(value) ? (value as readonly unknown[]) : this.#refuse(name, "a list");
  }

  object(name: string): Fields {
    return new Fields(this.#object[name], this.#at(name));
  }

  objects(name: string): readonly Fields[] {
    return this.list(name).map((json, index) => new Fields(json, `${this.#at(name)}[${String(index)}]`));
  }

  #at(name: string): string {
    return `${this.#path}.${name}`;
  }

  #refuse(name: string, expected: string): never {
    throw new MalformedVectorsError(
      `${this.#at(name)} must be ${expected}, but is ${print(this.#object[name])}.`,
    );
  }
}

function print(json: unknown): string {
  return json === undefined ? "absent" : JSON.stringify(json).slice(0, 80);
}
