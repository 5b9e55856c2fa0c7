import { describe, expect, jest, test } from "@jest/globals";
import {
  CommandLine,
  UsageError,
  boolean,
  integer,
  listOf,
  notNegative,
  oneOf,
  positive,
  text,
} from "@millrace/cli";

function program(): { cli: CommandLine; values: () => unknown } {
  const cli = new CommandLine("mill", "Grinds.");
  const size = cli.option(
    { flag: "--size <cm>", env: "MILL_SIZE", description: "how big", parse: integer(1, 99) },
    7,
  );
  const speed = cli.option({
    flag: "--speed <rpm>",
    env: "MILL_SPEED",
    description: "how fast",
    parse: positive,
  });
  const wet = cli.toggle({ flag: "--wet", env: "MILL_WET", description: "by a river" });
  const noSails = cli.toggle({ flag: "--no-sails", env: "MILL_NO_SAILS", description: "by water alone" });
  const key = cli.option({ env: "MILL_KEY", description: "to the door", parse: text });
  return {
    cli,
    values: () => ({ size: size(), speed: speed(), wet: wet(), noSails: noSails(), key: key() }),
  };
}

function parsed(args: readonly string[], env: Readonly<Record<string, string>> = {}): unknown {
  const { cli, values } = program();
  cli.parse(args, env);
  return values();
}

describe("CommandLine", () => {
  test("returns defaults if nothing is given", () => {
    expect(parsed([])).toEqual({ size: 7, speed: undefined, wet: false, noSails: false, key: undefined });
  });

  test("reads flags with a space and with an equals sign", () => {
    expect(parsed(["--size", "3", "--speed=1.5", "--wet"])).toMatchObject({ size: 3, speed: 1.5, wet: true });
  });

  test("collects what is given several times, from flags or from the lines of a variable", () => {
    const grains = (args: readonly string[], env = {}): readonly string[] => {
      const cli = new CommandLine("mill", "Grinds.");
      const list = cli.list({ flag: "--grain <name>", env: "MILL_GRAIN", description: "what", parse: text });
      cli.parse(args, env);
      return list();
    };
    expect(grains([])).toEqual([]);
    expect(grains(["--grain=rye", "--grain", "oats"], { MILL_GRAIN: "wheat" })).toEqual(["rye", "oats"]);
    expect(grains([], { MILL_GRAIN: "wheat\nmaize" })).toEqual(["wheat", "maize"]);
    expect(() => grains(["--grain=rye", "--grain="])).toThrow("--grain: is empty");
  });

  test("may have an option without a variable, and says whether it has a flag", () => {
    const { cli } = program();
    const colour = cli.option({ flag: "--colour <name>", description: "of the sails", parse: text });
    cli.parse(["--colour=red"], {});
    expect(colour()).toBe("red");
    expect(["--colour <x>", "--size", "--help"].map((flag) => cli.hasFlag(flag))).toEqual([true, true, true]);
    expect(cli.hasFlag("--depth <cm>")).toBe(false);
  });

  test("reads the environment", () => {
    expect(parsed([], { MILL_SIZE: "4", MILL_WET: "yes", MILL_KEY: "k" })).toMatchObject({
      size: 4,
      wet: true,
      key: "k",
    });
  });

  test("a flag overrides its variable, also with false", () => {
    expect(parsed(["--size=5", "--wet=false"], { MILL_SIZE: "4", MILL_WET: "1" })).toMatchObject({
      size: 5,
      wet: false,
    });
  });

  test("a --no- flag is true when it is given", () => {
    expect(parsed(["--no-sails"])).toMatchObject({ noSails: true });
    expect(parsed([], { MILL_NO_SAILS: "yes" })).toMatchObject({ noSails: true });
    expect(parsed([], { MILL_NO_SAILS: "no" })).toMatchObject({ noSails: false });
    expect(() => parsed(["--sails"])).toThrow("unknown option '--sails'");
  });

  test("an empty variable counts as not set", () => {
    expect(parsed([], { MILL_SIZE: "", MILL_WET: "" })).toMatchObject({ size: 7, wet: false });
  });

  test("an invalid variable that a flag overrides is no error", () => {
    expect(parsed(["--size=5"], { MILL_SIZE: "huge" })).toMatchObject({ size: 5 });
  });

  test.each([
    [["--size", "huge"], {}, '--size: "huge" is not a whole number from 1 to 99'],
    [["--size=100"], {}, '--size: "100" is not a whole number from 1 to 99'],
    [[], { MILL_SIZE: "1.5" }, 'MILL_SIZE: "1.5" is not a whole number from 1 to 99'],
    [[], { MILL_SPEED: "0" }, 'MILL_SPEED: "0" is not a number above 0'],
    [["--wet=maybe"], {}, '--wet: "maybe" is neither true nor false'],
    [["--sizes=1"], {}, "unknown option '--sizes=1'"],
    [["--size"], {}, "option '--size <cm>' argument missing"],
    [["grain"], {}, "too many arguments"],
  ])("refuses %j with %j: %s", (args, env, message) => {
    expect(() => parsed(args, env)).toThrow(UsageError);
    expect(() => parsed(args, env)).toThrow(message);
  });

  test("an unknown command is named, with the most similar one", () => {
    const refused = (word: string): (() => void) => {
      const cli = new CommandLine("mill", "Grinds.", ["graph", "inspect"]);
      return () => {
        cli.parse([word], {});
      };
    };
    expect(refused("grpah")).toThrow("unknown command grpah; did you mean graph");
    expect(refused("Inspct")).toThrow("unknown command Inspct; did you mean inspect");
    expect(refused("help")).toThrow("unknown command help; the commands are graph, inspect");
    expect(refused("grain")).toThrow(UsageError);
  });

  test("a variable is ignored, even if invalid, when an option with precedence is given", () => {
    const cli = new CommandLine("mill", "Grinds.");
    const wind = cli.option({ flag: "--wind <kn>", env: "MILL_WIND", description: "", parse: positive });
    const size = cli.option({
      flag: "--size <cm>",
      env: "MILL_SIZE",
      description: "",
      parse: integer(1, 99),
      unless: () => wind() !== undefined,
    });
    cli.parse([], { MILL_WIND: "3", MILL_SIZE: "huge" });
    expect([wind(), size()]).toEqual([3, undefined]);
    expect([cli.sourceOf(wind), cli.sourceOf(size)]).toEqual(["variable", undefined]);
    cli.parse(["--size=5"], { MILL_WIND: "3" });
    expect([size(), cli.sourceOf(size)]).toEqual([5, "flag"]);
  });

  test("an option without effect is an error as a flag, and a warning as a variable", () => {
    const parse = (args: readonly string[], env: Readonly<Record<string, string>>): readonly string[] => {
      const cli = new CommandLine("mill", "Grinds.");
      const size = cli.option({ flag: "--size <cm>", env: "MILL_SIZE", description: "", parse: positive }, 1);
      const wet = cli.toggle({ flag: "--wet", env: "MILL_WET", description: "" });
      cli.parse(args, env);
      for (const value of [size, wet]) cli.withoutEffect(value, "there is no mill");
      return cli.notes;
    };
    expect(() => parse(["--wet"], {})).toThrow(UsageError);
    expect(() => parse(["--size=3"], {})).toThrow("--size has no effect: there is no mill; leave it out");
    expect(parse([], { MILL_SIZE: "3" })).toEqual(["MILL_SIZE has no effect: there is no mill"]);
    expect(parse(["--wet=false"], {})).toEqual([]);
  });

  test("the options of another command can be accepted and ignored", () => {
    const cli = new CommandLine("mill inspect", "Looks.");
    const size = cli.option({ flag: "--size <cm>", env: "MILL_SIZE", description: "", parse: positive });
    cli.ignore((other) => {
      other.option({ flag: "--size <cm>", env: "MILL_SIZE", description: "", parse: positive });
      other.option({ flag: "--speed <rpm>", env: "MILL_SPEED", description: "", parse: positive });
      other.toggle({ flag: "--wet", env: "MILL_WET", description: "" });
    });
    cli.parse(["--size=3", "--speed", "fast", "--wet"], {});
    expect(size()).toBe(3);
  });

  test("--version prints the version", () => {
    const write = jest.spyOn(process.stdout, "write").mockReturnValue(true);
    try {
      expect(() => parsed(["--version"])).toThrow("the help was shown");
      expect(write.mock.calls.map(([chunk]) => String(chunk)).join("")).toMatch(/^\d+\.\d+\.\d+\n$/);
    } finally {
      write.mockRestore();
    }
  });

  test("the help shows flags, variables, defaults and the variables without a flag", () => {
    const write = jest.spyOn(process.stdout, "write").mockReturnValue(true);
    let help: string;
    try {
      expect(() => parsed(["--help"])).toThrow("the help was shown");
      help = write.mock.calls.map(([chunk]) => String(chunk)).join("");
    } finally {
      write.mockRestore();
    }
    expect(help.replace(/\s+/g, " ")).toContain("--size <cm> how big (default: 7, env: MILL_SIZE)");
    expect(help).toMatch(/Environment only:\n {2}MILL_KEY {2}to the door/);
  });
});

describe("parsers", () => {
  test("boolean accepts three words for each value", () => {
    expect(["true", "YES", "1"].map(boolean)).toEqual([true, true, true]);
    expect(["false", "No", "0"].map(boolean)).toEqual([false, false, false]);
  });

  test.each(["", " ", "-1", "0x10", "1e3", "Infinity", "NaN", "1,5"])(
    "numbers are plain decimals, not %j",
    (given) => {
      expect(() => positive(given)).toThrow(RangeError);
      expect(() => notNegative(given)).toThrow(RangeError);
    },
  );

  test("0 is not negative", () => {
    expect(notNegative("0")).toBe(0);
  });

  test("oneOf lists the words", () => {
    expect(oneOf(["a", "b"])("b")).toBe("b");
    expect(() => oneOf(["a", "b"])("c")).toThrow('"c" is none of a, b');
  });

  test("listOf parses each value", () => {
    expect(listOf(integer(0, 9))("1, 2,3")).toEqual([1, 2, 3]);
    expect(() => listOf(integer(0, 9))("1,,3")).toThrow('"" is not a whole number');
  });

  test("text is not empty", () => {
    expect(() => text("")).toThrow("is empty");
  });
});
