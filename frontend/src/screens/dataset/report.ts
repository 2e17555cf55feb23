/** The import report as the server wrote it, read without trusting that every part is there. */
import type { Dataset } from "@/api/client";
import { count } from "@/parts/format";

export interface UnreadableItem {
  item: string;
  code: string;
  message: string;
}

export interface Report {
  recognised: string | null;
  reason: string | null;
  taken: string;
  unreadable: UnreadableItem[];
  unreadableCount: number;
  duplicates: number;
  conversions: { what: string; count: number }[];
  ignored: number;
  /** Of what was added to another dataset; null for what came at once. */
  appended: { added: number; alreadyThere: number; differing: number } | null;
}

const CONVERSIONS: Record<string, string> = {
  exif_rotated: "turned upright as their EXIF says",
  alpha: "with transparency, laid on white",
  cmyk: "converted from CMYK",
  sixteen_bit: "reduced from 16 bits",
  grey: "grey",
  palette: "with a palette",
  multi_picture: "of several pictures, the first taken",
};

export function reportOf(dataset: Pick<Dataset, "report" | "sample_count">): Report {
  const raw = dataset.report;
  const unreadable = Array.isArray(raw.unreadable) ? (raw.unreadable as UnreadableItem[]) : [];
  const conversions = Object.entries(isCounts(raw.conversions) ? raw.conversions : {});
  const splits = isCounts(raw.splits) ? Object.entries(raw.splits) : [];
  return {
    recognised: typeof raw.recognised === "string" ? raw.recognised : null,
    reason: typeof raw.reason === "string" ? raw.reason : null,
    taken:
      splits.length > 1
        ? `of ${splits.map(([split, size]) => `${count(size)} ${split}`).join(", ")}`
        : typeof raw.total === "number" && raw.total > dataset.sample_count
          ? `of ${count(raw.total)} found`
          : "all of them",
    unreadable,
    unreadableCount: typeof raw.unreadable_count === "number" ? raw.unreadable_count : unreadable.length,
    duplicates: typeof raw.duplicates === "number" ? raw.duplicates : 0,
    conversions: conversions
      .filter(([, number]) => number > 0)
      .map(([what, number]) => ({ what: CONVERSIONS[what] ?? what.replaceAll("_", " "), count: number })),
    ignored: typeof raw.ignored === "number" ? raw.ignored : 0,
    appended: appendedOf(raw.appended),
  };
}

function appendedOf(raw: unknown): Report["appended"] {
  if (typeof raw !== "object" || raw === null) return null;
  const number = (name: string) => {
    const value = (raw as Record<string, unknown>)[name];
    return typeof value === "number" ? value : 0;
  };
  return {
    added: number("added"),
    alreadyThere: number("already_there"),
    differing: number("differing"),
  };
}

function isCounts(value: unknown): value is Record<string, number> {
  return (
    typeof value === "object" &&
    value !== null &&
    Object.values(value).every((one) => typeof one === "number")
  );
}
