/** What a bulk decision did, said exactly. Pure. */
import { count, many } from "@/parts/format";

import type { Change } from "./standing";
import { PAST, VERDICT_ORDER } from "./words";

/** "1 sample kept, 2 relabelled; 3 were so already": each of the `asked` samples is in one of the numbers. */
export function changedWords(changes: readonly Change[], asked: number): string {
  const rest = asked - changes.length;
  const were = rest === 1 ? "was so already" : "were so already";
  if (changes.length === 0) return `Nothing changed: ${many(rest, "sample")} ${were}`;
  const did = [...VERDICT_ORDER, null]
    .map((verdict) => ({
      past: verdict === null ? "cleared" : PAST[verdict],
      number: changes.filter(({ after }) => (after?.verdict ?? null) === verdict).length,
    }))
    .filter(({ number }) => number > 0)
    .map(({ past, number }, position) => `${position === 0 ? many(number, "sample") : count(number)} ${past}`)
    .join(", ");
  return rest > 0 ? `${did}; ${count(rest)} ${were}` : did;
}
