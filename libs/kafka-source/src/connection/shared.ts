/** A share of something that several users have open. */
export interface Share<T> {
  readonly value: T;
  /** The last user closes it. Idempotent. */
  readonly release: () => Promise<void>;
}

/** Opens something for its first user and closes it after the last one; a user who comes later gets a new one. */
export class Shared<T> {
  readonly #open: () => Promise<T>;
  readonly #close: (value: T) => Promise<void>;
  #current: { readonly value: Promise<T>; users: number } | undefined;

  constructor(open: () => Promise<T>, close: (value: T) => Promise<void>) {
    this.#open = open;
    this.#close = close;
  }

  async take(): Promise<Share<T>> {
    const current = (this.#current ??= { value: this.#open(), users: 0 });
    current.users += 1;
    const leave = (): boolean => {
      current.users -= 1;
      if (current.users > 0) return false;
      if (this.#current === current) this.#current = undefined;
      return true;
    };
    let value: T;
    try {
      value = await current.value;
    } catch (error) {
      leave();
      throw error;
    }
    let released = false;
    return {
      value,
      release: async () => {
        if (released) return;
        released = true;
        if (leave()) await this.#close(value);
      },
    };
  }
}
