/** The four verdicts: word, icon, colours and key, the same wherever a decision is shown. */
import { IconArrowsExchange, IconCheck, IconQuestionMark, IconX, type Icon } from "@tabler/icons-react";

import type { Schemas } from "@/api/client";

export type Verdict = Exclude<Schemas["DecisionAnswer"]["verdict"], "cleared">;

export interface VerdictLook {
  word: string;
  past: string;
  icon: Icon;
  fill: string;
  onFill: string;
  key: string;
}

export const VERDICTS: Record<Verdict, VerdictLook> = {
  keep: look("Keep", "kept", IconCheck, "keep", "K"),
  relabel: look("Relabel", "relabelled", IconArrowsExchange, "relabel", "L"),
  remove: look("Remove", "removed", IconX, "remove", "X"),
  unsure: look("Unsure", "unsure", IconQuestionMark, "unsure", "U"),
};

export const VERDICT_ORDER: readonly Verdict[] = ["keep", "relabel", "remove", "unsure"];

function look(word: string, past: string, icon: Icon, name: string, key: string): VerdictLook {
  return { word, past, icon, fill: `var(--na-${name})`, onFill: `var(--na-on-${name})`, key };
}
