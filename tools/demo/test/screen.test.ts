import { describe, expect, test } from "@jest/globals";
import { Screen } from "../src/screen.ts";

function recorded(options: {
  readonly isTTY: boolean;
  readonly colours?: boolean;
  readonly columns?: number;
}): {
  screen: Screen;
  text: () => string;
} {
  let text = "";
  const screen = new Screen({
    isTTY: options.isTTY,
    ...(options.columns === undefined ? {} : { columns: options.columns }),
    hasColors: () => options.colours ?? false,
    write: (chunk) => (text += chunk),
  });
  return { screen, text: () => text };
}

describe("Screen", () => {
  test("keeps the status line below the text", () => {
    const { screen, text } = recorded({ isTTY: true });
    screen.status("50%");
    screen.line("news");
    screen.status("60%");
    screen.status("");
    screen.line("done");
    expect(text()).toBe("50%\r\u001b[Knews\n50%\r\u001b[K60%\r\u001b[Kdone\n");
  });

  test("cuts the status line at the terminal's width, so that it can be cleared", () => {
    const { screen, text } = recorded({ isTTY: true, columns: 10 });
    screen.status("publishing much");
    screen.line("news");
    expect(text()).toBe("publishin\r\u001b[Knews\npublishin");
  });

  test("prints only text without a terminal", () => {
    const { screen, text } = recorded({ isTTY: false, colours: true });
    screen.status("50%");
    screen.line(screen.style("bold", "news"));
    expect(text()).toBe("news\n");
  });

  test("uses colours if the terminal has them", () => {
    expect(recorded({ isTTY: true, colours: true }).screen.style("bold", "x")).toBe("\u001b[1mx\u001b[22m");
  });
});
