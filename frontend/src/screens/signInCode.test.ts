import { beforeAll, describe, expect, it, vi } from "vitest";

let codeIn: (text: string) => string;

describe("the sign-in code", () => {
  beforeAll(async () => {
    // The module takes the code out of the address as soon as it is loaded.
    vi.stubGlobal("window", { location: { hash: "", pathname: "/", search: "" } });
    ({ codeIn } = await import("./signInCode"));
  });

  it("is found in an address, a fragment, or alone", () => {
    expect(codeIn("http://127.0.0.1:8765/#code=aB-3_x")).toBe("aB-3_x");
    expect(codeIn("#code=aB-3_x&next=1")).toBe("aB-3_x");
    expect(codeIn("  aB-3_x \n")).toBe("aB-3_x");
    expect(codeIn("   ")).toBe("");
  });
});
