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

/** Share of events that repeat a recent click, as a client does that got no reply. */
const RESENT = 0.2;
/** Share of new clicks by a new user. */
const NEW_USER = 0.15;
/** Number of users at the start, so that the first events are as varied as the last. */
const FIRST_USERS = 500;
/** Maximum distance, in events, between a click and its repetition. */
const RECENT_CLICKS = 200;
/** Bounds memory for any number of events. */
const MAX_USERS = 100_000;

/**
 * Generates clicks of synthetic users: few users click often and many rarely, time zones are skewed, and some clicks
 * are repeated. A pure function of its options, without a clock.
 *
 * @throws RangeError for a negative or fractional number
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
  // Skewed towards the front: early users click more, the first about six times as often as the last.
  const user = users[Math.floor(position * (0.3 + 0.7 * position) * users.length)];
  if (user === undefined) throw new RangeError("the list of users is empty");
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
