import { oneOf, streamFieldOption, withoutStream } from "@millrace/cli";
import type { CommandLine, InputSettings, Value } from "@millrace/cli";
import type { EntryForm } from "@millrace/redis-source";

const FORMS = ["message", "fields"] as const;

/**
 * Declares how the entries of a stream carry events.
 *
 * The value throws a UsageError for a field of the message if the fields are the event.
 */
export function entryOptions(cli: CommandLine, input: Value<InputSettings>): Value<EntryForm | undefined> {
  const field = streamFieldOption(cli);
  const form = cli.option(
    {
      flag: "--stream-entries <form>",
      env: "MILLRACE_STREAM_ENTRIES",
      description:
        "streams: how an entry carries events: message (lines or a frame, in the field --stream-field), or fields (they are one event, read as a line of JSON with strings)",
      parse: oneOf(FORMS),
    },
    "message",
  );
  return () => {
    for (const value of [field, form]) withoutStream(cli, value, input());
    if (form() === "fields") {
      cli.withoutEffect(field, "with --stream-entries=fields all fields of an entry are the event");
      return "fields";
    }
    const named = field();
    return named === undefined ? undefined : { field: named };
  };
}
