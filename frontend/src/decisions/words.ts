/** The verdicts in words, in the order in which they are listed. */
import type { Schemas } from "@/api/client";

export type Verdict = Exclude<Schemas["DecisionAnswer"]["verdict"], "cleared">;

export const VERDICT_ORDER: readonly Verdict[] = ["keep", "relabel", "remove", "unsure"];

export const WORD: Record<Verdict, string> = {
  keep: "Keep",
  relabel: "Relabel",
  remove: "Remove",
  unsure: "Unsure",
};

/** "3 samples …" */
export const PAST: Record<Verdict, string> = {
  keep: "kept",
  relabel: "relabelled",
  remove: "removed",
  unsure: "marked unsure",
};
