import { describe, expect, it } from "vitest";

import { choicesOf, settingsOf } from "./settings";

const recipe = {
  settings: [
    { name: "epochs", type: "integer", default: 20, description: "" },
    { name: "learning_rate", type: "number", default: 0.1, description: "" },
    { name: "flip", type: "boolean", default: false, description: "" },
    { name: "norm", type: "batch | group", default: "batch", description: "" },
    { name: "start", type: "integer", default: null, description: "" },
  ],
};

describe("settingsOf", () => {
  it("sends only what differs from the defaults, with its type", () => {
    const texts = { epochs: "30", learning_rate: "0.1", flip: "true", norm: "group", start: "", other: "1" };
    expect(settingsOf(recipe, texts)).toEqual({ epochs: 30, flip: true, norm: "group" });
  });

  it("knows the words to choose from", () => {
    expect(recipe.settings.map(choicesOf)).toEqual([null, null, null, ["batch", "group"], null]);
  });

  it("leaves it to the server to refuse what is no number", () => {
    expect(settingsOf(recipe, { epochs: "many", learning_rate: "1e-2" })).toEqual({
      epochs: "many",
      learning_rate: 0.01,
    });
  });
});
