import { expect, test } from "@jest/globals";
import { WholeLines } from "../src/running/whole-lines.ts";

test("lines of several processes are passed on whole, and the rest of one that was killed is dropped", async () => {
  const passed: string[] = [];
  const [one, two] = [new WholeLines(), new WholeLines()];
  for (const each of [one, two]) each.on("data", (chunk) => passed.push(String(chunk)));
  one.write('{"a":');
  two.write('{"b":1}\n{"b":2}\n{"b"');
  one.write("1");
  one.write('}\n{"a":2}\n');
  two.write(":3");
  for (const each of [one, two]) {
    each.end();
    await new Promise((resolve) => each.on("end", resolve));
  }
  expect(passed).toEqual(['{"b":1}\n{"b":2}\n', '{"a":1}\n{"a":2}\n']);
});
