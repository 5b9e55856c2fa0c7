import type { Faker } from "@faker-js/faker";
import type { ClickEvent } from "@millrace/event-schema";

/** The fields of a click that describe the device. */
export type Device = Pick<ClickEvent, "os" | "os_name" | "device_type" | "device_is_mobile">;

const PHONE = { device_type: "Mobile", device_is_mobile: true } as const;
const COMPUTER = { device_type: "Computer", device_is_mobile: false } as const;

/** Operating systems with their share in percent. A tablet counts as mobile, as in the tutorial's data. */
const SYSTEMS: readonly { readonly weight: number; readonly value: (faker: Faker) => Device }[] = [
  { weight: 30, value: (faker) => ({ os: iphone(faker), os_name: "iOS", ...PHONE }) },
  { weight: 5, value: (faker) => ({ os: ipad(faker), os_name: "iOS", ...PHONE }) },
  { weight: 32, value: (faker) => ({ os: android(faker), os_name: "Android", ...PHONE }) },
  { weight: 15, value: (faker) => ({ os: mac(faker), os_name: "MacOS", ...COMPUTER }) },
  { weight: 14, value: () => ({ os: "Windows NT 10.0", os_name: "Windows", ...COMPUTER }) },
  { weight: 4, value: () => ({ os: "X11; Linux x86_64", os_name: "Linux", ...COMPUTER }) },
];

/** Picks a device with consistent fields. */
export function makeDevice(faker: Faker): Device {
  return faker.helpers.weightedArrayElement(SYSTEMS)(faker);
}

function iphone(faker: Faker): string {
  return `iPhone; CPU iPhone OS ${appleVersion(faker)} like Mac OS X`;
}

function ipad(faker: Faker): string {
  return `iPad; CPU OS ${appleVersion(faker)} like Mac OS X`;
}

function appleVersion(faker: Faker): string {
  return `${faker.number.int({ min: 14, max: 18 })}_${faker.number.int({ max: 7 })}`;
}

function android(faker: Faker): string {
  return `Android ${faker.number.int({ min: 9, max: 15 })}`;
}

function mac(faker: Faker): string {
  return `Macintosh; Intel Mac OS X 10_15_${faker.number.int({ max: 7 })}`;
}
