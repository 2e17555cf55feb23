import { expect, it } from "vitest";

import { digestOf } from "./digest";

it("is the digest that the server makes", async () => {
  const bytes = new Uint8Array(16 * 2 ** 20 + 5).map((_, place) => place % 251);
  // noise_audit.digest of the same bytes: two pieces, the second of five bytes.
  expect(await digestOf(new Blob([bytes]))).toBe(
    "94c27bfb7b45bb245d5424613e400f99c2cb65e52181945b1438233e6008af97",
  );
});

it("says nothing where the browser cannot hash", async () => {
  expect(await digestOf(new Blob(["x"]), null)).toBeNull();
});
