/** The default channel of clicks, and the field that assigns them to partitions. */
export const CLICK_TRANSPORT = { channel: "device_events", partitionBy: "os_timezone" } as const;
