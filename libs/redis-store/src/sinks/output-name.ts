import { RedisOptionsError } from "@millrace/redis-source";

const VERSION = /^[A-Za-z0-9_.-]{1,100}$/;

/** The name of an output in keys. */
export function outputNamed(name: string, version: string | undefined): string {
  return version === undefined ? name : `${name}@${version}`;
}

/** Whether an output's rows are of this version; `undefined`: of none. */
export function isOfVersion(output: string, version: string | undefined): boolean {
  return version === undefined ? !output.includes("@") : output.endsWith(`@${version}`);
}

/** @throws RedisOptionsError */
export function checkVersion(version: string | undefined): void {
  if (version === undefined || VERSION.test(version)) return;
  throw new RedisOptionsError(
    `version is ${JSON.stringify(version)}. Give 1 to 100 letters, digits, "_", "." or "-".`,
  );
}
