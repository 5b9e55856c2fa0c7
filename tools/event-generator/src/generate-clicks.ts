import { en, Faker } from "@faker-js/faker";
import type { ClickEvent } from "@millrace/event-schema";
import { makeUser, type User } from "./user.ts";

/** What to generate. */
export interface GeneratorOptions {
  /** Number of events. `@default 12_000` */
  readonly events?: number;
  /** Whole number; the same seed gives the same events. `@default 20_200` */
  readonly seed?: number;
}

export const DEFAULT_GENERATOR_OPTIONS: Readonly<Required<GeneratorOptions>> = Object.freeze({
  events: 12_000,
  seed: 20_200,
});

/** Share of events that send a recent click once more, as a client does that never got its answer. */
const RESENT = 0.2;
/** Share of new clicks whose user was never seen before. */
const NEW_USER = 0.15;
/** Users who are there from the start, so that the first events are as mixed as the last. */
const FIRST_USERS = 500;
/** A click is sent again within so many events. */
const RECENT_CLICKS = 200;
/** Bounds memory, however many events are asked for. */
const MAX_USERS = 100_000;

/**
 * Clicks of a made-up audience: few users click much and many little, users and time zones are skewed, and some
 * clicks arrive more than once. A pure function of its options; it looks at no clock.
 *
 * @throws RangeError for a negative or broken number
 */
export function* generateClicks(options: GeneratorOptions = {}): Generator<ClickEvent, void> {
  const { events = DEFAULT_GENERATOR_OPTIONS.events, seed = DEFAULT_GENERATOR_OPTIONS.seed } = options;
  requireWhole("events", events);
  requireWhole("seed", seed);
  const faker = new Faker({ locale: en, seed });
  const users = faker.helpers.multiple(() => makeUser(faker), { count: FIRST_USERS });
  const recent: ClickEvent[] = [];
  let newClicks = 0;
  for (let made = 0; made < events; made += 1) {
    const again = recent.length > 0 && faker.datatype.boolean(RESENT);
    if (again) {
      yield faker.helpers.arrayElement(recent);
      continue;
    }
    const click = makeClick(faker, pickUser(faker, users));
    recent[newClicks % RECENT_CLICKS] = click;
    newClicks += 1;
    yield click;
  }
}

function pickUser(faker: Faker, users: User[]): User {
  if (users.length < MAX_USERS && faker.datatype.boolean(NEW_USER)) {
    const user = makeUser(faker);
    users.push(user);
    return user;
  }
  const position = faker.number.float();
  // Leans towards the front: who came early clicks more, the first about six times as much as the last.
  const user = users[Math.floor(position * (0.3 + 0.7 * position) * users.length)];
  if (user === undefined) throw new RangeError("a position below 1 lies in the list");
  return user;
}

function makeClick(faker: Faker, user: User): ClickEvent {
  const { os, os_name, device_type, device_is_mobile } = faker.helpers.arrayElement(user.devices);
  return {
    click_id: faker.string.uuid(),
    os,
    os_name,
    os_timezone: user.os_timezone,
    device_type,
    device_is_mobile,
    user_custom_id: user.user_custom_id,
    user_domain_id: user.user_domain_id,
  };
}

function requireWhole(name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 0) return;
  throw new RangeError(`${name} is ${value}; give a whole number, 0 or more`);
}
