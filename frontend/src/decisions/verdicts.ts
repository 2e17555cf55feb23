/** The four verdicts: word, icon and colours, the same wherever a decision is shown. */
import { IconArrowsExchange, IconCheck, IconQuestionMark, IconX, type Icon } from "@tabler/icons-react";

import { PAST, VERDICT_ORDER, WORD, type Verdict } from "./words";

export { VERDICT_ORDER, type Verdict };

export interface VerdictLook {
  word: string;
  past: string;
  icon: Icon;
  fill: string;
  onFill: string;
}

export const VERDICTS: Record<Verdict, VerdictLook> = {
  keep: look("keep", IconCheck),
  relabel: look("relabel", IconArrowsExchange),
  remove: look("remove", IconX),
  unsure: look("unsure", IconQuestionMark),
};

function look(verdict: Verdict, icon: Icon): VerdictLook {
  return {
    word: WORD[verdict],
    past: PAST[verdict],
    icon,
    fill: `var(--na-${verdict})`,
    onFill: `var(--na-on-${verdict})`,
  };
}
