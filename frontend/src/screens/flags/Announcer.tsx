/** Says to screen readers which sample the keys mean now. */
import type { Sample } from "@/api/client";
import type { Standing } from "@/decisions/standing";
import { VERDICTS } from "@/decisions/verdicts";
import { count, percent } from "@/parts/format";

import type { List } from "./useList";

interface Props {
  list: List;
  cursor: number | null;
  classes: string[];
  standing: (sample: Sample) => Standing;
}

export function Announcer({ list, cursor, classes, standing }: Props) {
  return (
    <div className="visually-hidden" role="status" data-testid="announcer">
      {cursor !== null && words(list, cursor, classes, standing)}
    </div>
  );
}

function words(list: List, cursor: number, classes: string[], standing: Props["standing"]): string {
  const sample = list.row(cursor);
  const at = list.order.indexOf(cursor);
  const place =
    at < 0 ? `Sample ${cursor}` : `Sample ${cursor}, ${count(at + 1)} of ${count(list.order.length)}`;
  if (!sample) return place;
  const name = (label: number) => classes[label] ?? String(label);
  const stands = standing(sample);
  return [
    place,
    `given ${name(sample.given_label)}`,
    `suggested ${name(sample.suggested_label)}`,
    `${percent(sample.noise_posterior)} probably wrong`,
    ...(stands ? [`decided: ${VERDICTS[stands.verdict].word}`] : []),
  ].join(", ");
}
