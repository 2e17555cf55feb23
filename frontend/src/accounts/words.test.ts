import { describe, expect, it } from "vitest";

import { browserWords, deedWords } from "./words";

describe("deeds in words", () => {
  it("says what was done, to whom, as what", () => {
    expect(deedWords({ action: "account.create", detail: { name: "ann", role: "editor" } })).toBe(
      "added the account ann as editor",
    );
    expect(deedWords({ action: "decisions.create", detail: { recorded: 1 } })).toBe("decided on 1 sample");
    expect(deedWords({ action: "decisions.create", detail: { recorded: 1200 } })).toBe(
      "decided on 1,200 samples",
    );
    expect(deedWords({ action: "review.set", detail: { blind: true } })).toBe("made the review blind");
    expect(deedWords({ action: "export", detail: { what: "cleaned-labels", format: "csv" } })).toBe(
      "took away cleaned labels",
    );
    expect(deedWords({ action: "account.change", detail: { name: "ann", disabled: true } })).toBe(
      "changed the account ann (shut)",
    );
  });

  it("calls what it does not know by its name", () => {
    expect(deedWords({ action: "dataset.fold", detail: {} })).toBe("dataset.fold");
  });
});

describe("browsers in words", () => {
  it("names browser and system", () => {
    const chrome =
      "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36";
    expect(browserWords(chrome)).toBe("Chrome on Linux");
    expect(browserWords(`${chrome} Edg/140.0`)).toBe("Edge on Linux");
    expect(
      browserWords("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19 Safari/604.1"),
    ).toBe("Safari on iOS");
  });

  it("repeats a part of anything else", () => {
    expect(browserWords("python-httpx/0.28")).toBe("python-httpx/0.28");
    expect(browserWords("x".repeat(200))).toHaveLength(40);
    expect(browserWords("")).toBe("Unknown browser");
  });
});
