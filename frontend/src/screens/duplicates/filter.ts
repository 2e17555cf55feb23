/** Which groups of duplicates are shown, as it stands in the address. Pure. */
import type { DuplicateFilter } from "@/api/own";

export const SHOWN = ["labels", "splits", "equal", "similar"] as const;
export type Shown = (typeof SHOWN)[number];

export interface DuplicatesSearch {
  /** Left out: all of them. */
  kind?: Shown;
  page?: number;
}

export function readDuplicates(search: Record<string, unknown>): DuplicatesSearch {
  const kind = SHOWN.find((one) => one === search.kind);
  const page = Number(search.page);
  return { ...(kind && { kind }), ...(Number.isInteger(page) && page > 1 && { page }) };
}

export function asFilter(kind: Shown | undefined): DuplicateFilter {
  switch (kind) {
    case "labels":
      return { different_labels: true };
    case "splits":
      return { across_splits: true };
    case "equal":
      return { exact: true };
    case "similar":
      return { exact: false };
    case undefined:
      return {};
  }
}
