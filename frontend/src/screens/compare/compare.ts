/** What two to four runs of a dataset have in common and not, as rows that a page can show. Pure. */
import type { Run } from "@/api/client";
import type { Figure } from "@/api/queries";

export const AT_MOST = 4;

/** The letter of each run by its id. */
export type Letters = ReadonlyMap<string, string>;

/** The oldest is A: a run keeps its letter whichever others are chosen, and when further ones are made. */
export function lettersOf(runs: readonly Pick<Run, "id" | "created_at">[]): Letters {
  const byAge = [...runs].sort((a, b) => Date.parse(a.created_at) - Date.parse(b.created_at));
  return new Map(byAge.map(({ id }, place) => [id, letterAt(place)]));
}

/** A to Z, then AA, AB, … */
function letterAt(place: number): string {
  const last = String.fromCharCode(65 + (place % 26));
  return place < 26 ? last : letterAt(Math.floor(place / 26) - 1) + last;
}

/** In the order of their letters; those that have none come last, for the server to refuse. */
export function inOrder(ids: readonly string[], letters: Letters): string[] {
  const place = new Map([...letters.keys()].map((id, at) => [id, at]));
  return [...ids].sort((a, b) => (place.get(a) ?? Infinity) - (place.get(b) ?? Infinity) || 0);
}

/** The figure with its lines called by letter too; they come in the order of the runs, a group for each. */
export function lettered(figure: Figure, ids: readonly string[], letters: Letters): Figure {
  const data = figure.data.map((trace) => {
    const letter = letters.get(ids[Number(trace.legendgroup)] ?? "");
    return letter === undefined ? trace : { ...trace, name: `${letter}: ${String(trace.name)}` };
  });
  return { ...figure, data };
}

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

/**
 * What was chosen for one of the runs and differs, by name, with what the others had of it: by their recipe, or null where
 * they have no such thing. What merely follows from another recipe is not listed.
 */
export function differing(
  runs: readonly Pick<Run, "recipe" | "seed" | "settings">[],
  madeWith: readonly Readonly<Record<string, unknown>>[],
): { name: string; values: unknown[] }[] {
  const names = [...new Set(runs.flatMap(({ settings }) => Object.keys(settings)))].sort();
  return ["recipe", "seed", ...names]
    .map((name) => ({
      name,
      values: runs.map(({ recipe, seed }, at) => ({ ...madeWith[at], recipe, seed })[name] ?? null),
    }))
    .filter(({ values }) => new Set(values.map((value) => JSON.stringify(value))).size > 1);
}

/** The best of the values, where one is better than the others; by the larger or the smaller. */
export function bestOf(values: readonly (number | null | undefined)[], larger = true): number | null {
  const known = values.filter((value): value is number => typeof value === "number");
  if (known.length < 2) return null;
  const best = larger ? Math.max(...known) : Math.min(...known);
  return known.filter((value) => value === best).length === 1 ? values.indexOf(best) : null;
}
