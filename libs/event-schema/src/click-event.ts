import { z } from "zod";

const fields = {
  /** The same in every event that repeats a click. */
  click_id: z.string(),
  /** The operating system as the device states it, such as `Android 1.5`. */
  os: z.string(),
  /** The family of the operating system, such as `iOS`. */
  os_name: z.string(),
  /** The device's time zone, such as `Europe/Madrid`; not checked against the IANA list, which changes. */
  os_timezone: z.string().min(1, "must not be empty"),
  /** Such as `Mobile` or `PC`. */
  device_type: z.string(),
  device_is_mobile: z.boolean(),
  /** The user as the customer knows them, often a mail address. */
  user_custom_id: z.string(),
  /** The user's id within the domain. */
  user_domain_id: z.string(),
};

/**
 * The schema of a click. Unknown fields are stripped; `.strict()` refuses them, and `.loose()` keeps them.
 *
 * `os_timezone` must not be empty: it is what flows group by, and an empty key would count unrelated clicks as one.
 */
export const clickEventSchema: z.ZodObject<typeof fields> = z.object(fields);

/** One click of a clickstream. */
export type ClickEvent = Readonly<z.infer<typeof clickEventSchema>>;
