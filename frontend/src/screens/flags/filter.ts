/** The gallery's filter as it stands in the address. Pure. */
import type { SampleFilter } from "@/api/queries";

type Verdict = NonNullable<SampleFilter["verdict"]>;

/** What the address holds; what it leaves out has its default (flagged only, by posterior). */
export interface FlagsSearch {
  /** "all" shows every sample, not only the flagged ones. */
  show?: "all";
  given?: number;
  suggested?: number;
  min?: number;
  max?: number;
  verdict?: Verdict;
  order?: "index";
}

const VERDICTS: readonly Verdict[] = ["keep", "relabel", "remove", "unsure", "none"];

export function readFilter(search: Record<string, unknown>): FlagsSearch {
  const read: FlagsSearch = {};
  if (search.show === "all") read.show = "all";
  const given = label(search.given);
  if (given !== null) read.given = given;
  const suggested = label(search.suggested);
  if (suggested !== null) read.suggested = suggested;
  const min = share(search.min);
  if (min !== null && min > 0) read.min = min;
  const max = share(search.max);
  if (max !== null && max < 1) read.max = max;
  const verdict = VERDICTS.find((one) => one === search.verdict);
  if (verdict) read.verdict = verdict;
  if (search.order === "index") read.order = "index";
  return read;
}

/** The same as the server's query. */
export function asQuery(search: FlagsSearch): SampleFilter {
  return {
    flagged: search.show === "all" ? undefined : true,
    given_label: search.given,
    suggested_label: search.suggested,
    min_posterior: search.min,
    max_posterior: search.max,
    verdict: search.verdict,
    order: search.order ?? "posterior",
  };
}

export function isFiltered(search: FlagsSearch): boolean {
  return Object.keys(search).some((part) => part !== "show" && part !== "order");
}

function label(value: unknown): number | null {
  const number =
    typeof value === "number" ? value : typeof value === "string" && value !== "" ? Number(value) : NaN;
  return Number.isInteger(number) && number >= 0 ? number : null;
}

function share(value: unknown): number | null {
  const number =
    typeof value === "number" ? value : typeof value === "string" && value !== "" ? Number(value) : NaN;
  return number >= 0 && number <= 1 ? number : null;
}
