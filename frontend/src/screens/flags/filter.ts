/** The gallery's filter as it stands in the address. Pure. */
import type { SampleFilter } from "@/api/queries";

type Verdict = NonNullable<SampleFilter["verdict"]>;
type Split = NonNullable<SampleFilter["split"]>;

/** What the address holds; what it leaves out has its default (flagged only, by posterior). */
export interface FlagsSearch {
  /** "all" shows every sample, not only the flagged ones. */
  show?: "all";
  given?: number;
  suggested?: number;
  min?: number;
  max?: number;
  /** At least so many of the run's scores agree. */
  agreement?: number;
  verdict?: Verdict;
  split?: Split;
  /** A kept selection, such as what was circled on the map. */
  selection?: string;
  /** Other runs of the dataset that all flagged, or did not flag, the sample too: ids with commas between. */
  flagged_by?: string;
  not_flagged_by?: string;
  order?: "index" | "selection";
}

const VERDICTS: readonly Verdict[] = ["keep", "relabel", "remove", "unsure", "none"];
const SPLITS: readonly Split[] = ["train", "val", "test", "other", "none"];
const ORDERS = ["index", "selection"] as const;
const MOST_SCORES = 32;

export function readFilter(search: Record<string, unknown>): FlagsSearch {
  const selection = id(search.selection);
  const order = ORDERS.find((one) => one === search.order);
  const min = share(search.min);
  const max = share(search.max);
  const agreement = whole(search.agreement);
  return without({
    show: search.show === "all" ? "all" : undefined,
    given: whole(search.given),
    suggested: whole(search.suggested),
    min: min !== undefined && min > 0 ? min : undefined,
    max: max !== undefined && max < 1 ? max : undefined,
    agreement: agreement !== undefined && agreement > 0 && agreement <= MOST_SCORES ? agreement : undefined,
    verdict: VERDICTS.find((one) => one === search.verdict),
    split: SPLITS.find((one) => one === search.split),
    selection,
    flagged_by: id(search.flagged_by),
    not_flagged_by: id(search.not_flagged_by),
    // The order of a selection means nothing without one.
    order: order === "selection" && selection === undefined ? undefined : order,
  });
}

/** The same as the server's query. */
export function asQuery(search: FlagsSearch): SampleFilter {
  return {
    flagged: search.show === "all" ? undefined : true,
    given_label: search.given,
    suggested_label: search.suggested,
    min_posterior: search.min,
    max_posterior: search.max,
    min_agreement: search.agreement,
    verdict: search.verdict,
    split: search.split,
    selection: search.selection,
    flagged_by: search.flagged_by?.split(","),
    not_flagged_by: search.not_flagged_by?.split(","),
    order: search.order ?? "posterior",
  };
}

/** The same without what is undefined, so that equal filters have equal addresses. */
export function without(search: FlagsSearch): FlagsSearch {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined));
}

/** Only what says how to show, not what to leave out. */
export const unfiltered = ({ show, order }: FlagsSearch): FlagsSearch =>
  without({ show, order: order === "selection" ? undefined : order });

export function isFiltered(search: FlagsSearch): boolean {
  return Object.keys(search).some((part) => part !== "show" && part !== "order");
}

function number(value: unknown): number {
  return typeof value === "number" ? value : typeof value === "string" && value !== "" ? Number(value) : NaN;
}

function whole(value: unknown): number | undefined {
  const read = number(value);
  return Number.isInteger(read) && read >= 0 ? read : undefined;
}

function share(value: unknown): number | undefined {
  const read = number(value);
  return read >= 0 && read <= 1 ? read : undefined;
}

/** One id or several; the router reads one made of digits alone as a number. */
function id(value: unknown): string | undefined {
  const text = typeof value === "number" ? String(value) : value;
  return typeof text === "string" && /^[\w,-]{1,300}$/.test(text) ? text : undefined;
}
