/** What two to four runs of a dataset have in common and not, as rows that a page can show. Pure. */
import type { Run } from "@/api/client";

export const AT_MOST = 4;
export const LETTERS = ["A", "B", "C", "D"] as const;

/** Run ids out of an address: at most four, each once. */
export function readRuns(value: unknown): string[] {
  const listed = Array.isArray(value) ? value.map(String) : typeof value === "string" ? value.split(",") : [];
  return [...new Set(listed.map((id) => id.trim()).filter((id) => /^[\w-]{1,64}$/.test(id)))].slice(
    0,
    AT_MOST,
  );
}

/** In which run's gallery, under which filter, the samples lie that exactly these runs flagged. */
export function galleryOf(flaggedBy: readonly string[], all: readonly string[]) {
  const [run, ...others] = flaggedBy;
  const not = all.filter((id) => !flaggedBy.includes(id));
  return { run: run ?? "", flagged_by: others, not_flagged_by: not };
}

/** The settings on which the runs differ, by name; what a run does not have is null. */
export function differing(runs: readonly Pick<Run, "settings">[]): { name: string; values: unknown[] }[] {
  const names = [...new Set(runs.flatMap(({ settings }) => Object.keys(settings)))].sort();
  return names
    .map((name) => ({ name, values: runs.map(({ settings }) => settings[name] ?? null) }))
    .filter(({ values }) => new Set(values.map((value) => JSON.stringify(value))).size > 1);
}

/** The best of the values, where one is better than the others; by the larger or the smaller. */
export function bestOf(values: readonly (number | null | undefined)[], larger = true): number | null {
  const known = values.filter((value): value is number => typeof value === "number");
  if (known.length < 2) return null;
  const best = larger ? Math.max(...known) : Math.min(...known);
  return known.filter((value) => value === best).length === 1 ? values.indexOf(best) : null;
}
