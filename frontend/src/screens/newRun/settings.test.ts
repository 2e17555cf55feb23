import { describe, expect, it } from "vitest";

import { settingsOf } from "./settings";

const recipe = {
  settings: [
    { name: "epochs", type: "int", default: 20, description: "" },
    { name: "learning_rate", type: "float", default: 0.1, description: "" },
    { name: "flip", type: "bool", default: false, description: "" },
    { name: "norm", type: "str", default: "batch", description: "" },
    { name: "start", type: "int | None", default: null, description: "" },
  ],
};

describe("settingsOf", () => {
  it("sends only what differs from the defaults, with its type", () => {
    const texts = { epochs: "30", learning_rate: "0.1", flip: "true", norm: "group", start: "", other: "1" };
    expect(settingsOf(recipe, texts)).toEqual({ epochs: 30, flip: true, norm: "group" });
  });

  it("leaves it to the server to refuse what is no number", () => {
    expect(settingsOf(recipe, { epochs: "many", learning_rate: "1e-2" })).toEqual({
      epochs: "many",
      learning_rate: 0.01,
    });
  });
});
