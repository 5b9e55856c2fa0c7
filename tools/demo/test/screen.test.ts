import { describe, expect, test } from "@jest/globals";
import { Screen } from "../src/screen.ts";

function recorded(options: { readonly isTTY: boolean; readonly colours?: boolean }): {
  screen: Screen;
  text: () => string;
} {
  let text = "";
  const screen = new Screen({
    isTTY: options.isTTY,
    hasColors: () => options.colours ?? false,
    write: (chunk) => (text += chunk),
  });
  return { screen, text: () => text };
}

describe("Screen", () => {
  test("keeps its last line below what is printed", () => {
    const { screen, text } = recorded({ isTTY: true });
    screen.status("50%");
    screen.line("news");
    screen.status("60%");
    screen.status("");
    screen.line("done");
    expect(text()).toBe("50%\r\u001b[Knews\n50%\r\u001b[K60%\r\u001b[Kdone\n");
  });

  test("without a terminal there is text only", () => {
    const { screen, text } = recorded({ isTTY: false, colours: true });
    screen.status("50%");
    screen.line(screen.style("bold", "news"));
    expect(text()).toBe("news\n");
  });

  test("colours where there are any", () => {
    expect(recorded({ isTTY: true, colours: true }).screen.style("bold", "x")).toBe("\u001b[1mx\u001b[22m");
  });
});
