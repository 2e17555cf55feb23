import { describe, expect, it } from "vitest";

import { asFilter, readDuplicates } from "./filter";

describe("the filter of duplicates", () => {
  it("keeps what it knows and leaves out the rest", () => {
    expect(readDuplicates({ kind: "labels", page: "3", other: 1 })).toEqual({ kind: "labels", page: 3 });
    expect(readDuplicates({ kind: "everything", page: 1 })).toEqual({});
    expect(readDuplicates({ page: "-2" })).toEqual({});
  });

  it("asks the server for what is shown", () => {
    expect(asFilter(undefined)).toEqual({});
    expect(asFilter("equal")).toEqual({ exact: true });
    expect(asFilter("splits")).toEqual({ across_splits: true });
  });
});
