/** A preflight's report in words and numbers. Pure. */
import type { ColumnUse, Report } from "@/api/preflights";
import { count, many } from "@/parts/format";

export const FORMAT_NAMES: Record<string, string> = {
  "class-folder": "Class folders",
  manifest: "Images with a table",
  parquet: "Parquet with images",
  webdataset: "WebDataset",
  cifar: "CIFAR",
  idx: "IDX, as MNIST",
  arrays: "numpy arrays",
  coco: "COCO-style JSON",
};

export const COLUMN_NAMES: Record<Exclude<ColumnUse, "annotators">, string> = {
  image: "Image",
  label: "Label",
  true_label: "True label",
  split: "Split",
};

const ORDER = ["train", "val", "test", "other"];

/** The splits that can be taken, with their sizes; empty where there are no splits. */
export function splitChoices(report: Report): { value: string; label: string }[] {
  const names = Object.keys(report.splits).sort((one, other) => ORDER.indexOf(one) - ORDER.indexOf(other));
  if (names.length < 2) return [];
  return [
    ...names
      .filter((name) => name !== "other")
      .map((name) => ({ value: name, label: `${name} · ${count(report.splits[name] ?? 0)}` })),
    { value: "all", label: `all · ${count(report.total)}` },
  ];
}

/** The split to begin with: train where there is one, else all there is. */
export function firstSplit(report: Report): "train" | "all" {
  return splitChoices(report).some(({ value }) => value === "train") ? "train" : "all";
}

/** Samples of each class in the split that was chosen. */
export function classRows(report: Report, split: string): { name: string; count: number }[] {
  const parts = report.counts[split] ? [report.counts[split]] : Object.values(report.counts);
  return report.classes.map((name) => ({
    name,
    count: parts.reduce((sum, part) => sum + (part[name] ?? 0), 0),
  }));
}

/** What was looked at, and what was not. */
export function looks(report: Report): string[] {
  const { readable, duplicates } = report;
  const part = duplicates.complete
    ? ""
    : ` among the first ${count(duplicates.compared)} (the rest was not compared)`;
  return [
    readable.unreadable
      ? `${count(readable.unreadable)} of ${many(readable.looked_at, "image")} tried cannot be read`
      : `${many(readable.looked_at, "image")} tried, all can be read`,
    duplicates.images
      ? `${many(duplicates.images, "image is", "images are")} there more than once${part}`
      : `No image is there twice${part}`,
    ...(report.ignored ? [`${many(report.ignored, "other file")} ignored`] : []),
  ];
}
