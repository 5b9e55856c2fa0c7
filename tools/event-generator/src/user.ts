import type { Faker } from "@faker-js/faker";
import type { ClickEvent } from "@millrace/event-schema";
import { makeDevice, type Device } from "./device.ts";
import { TIME_ZONES } from "./time-zones.ts";

const ROUNDING = 1_000_000;
/** Zipf's law: the n-th zone has 1/n of the first one's users. Whole numbers give the same sums on every machine. */
const WEIGHTED_ZONES = TIME_ZONES.map((value, index) => ({
  value,
  weight: Math.floor(ROUNDING / (index + 1)),
}));

/** Share of users with a second device. */
const TWO_DEVICES = 0.3;

/** A user: one person, one time zone and address, one or two devices. */
export interface User extends Pick<ClickEvent, "user_custom_id" | "user_domain_id" | "os_timezone"> {
  readonly devices: readonly Device[];
}

/** Creates a user; mail addresses use the domains reserved for examples. */
export function makeUser(faker: Faker): User {
  return {
    user_custom_id: faker.internet.exampleEmail().toLowerCase(),
    user_domain_id: faker.string.uuid(),
    os_timezone: faker.helpers.weightedArrayElement(WEIGHTED_ZONES),
    devices: faker.helpers.multiple(() => makeDevice(faker), {
      count: faker.datatype.boolean(TWO_DEVICES) ? 2 : 1,
    }),
  };
}
