/** How far reviewers agree, and what exports make of it, in words. */
import { useQuery } from "@tanstack/react-query";

import { agreement, type ReviewProgress } from "@/api/review";
import { count, many, percent } from "@/parts/format";

/** So many pairs are told here; the dataset's page has the table of all. */
const TOLD = 3;

export function Stands({ datasetId, progress }: { datasetId: string; progress: ReviewProgress }) {
  const pairs = useQuery(agreement(datasetId)).data?.items ?? [];
  const { agreed, adjudicated, disagree, once } = progress;
  const waits = [
    disagree > 0 && `${count(disagree)} on which reviewers disagree`,
    once > 0 && `${count(once)} with one answer`,
  ].filter((part) => part !== false);
  return (
    <div className="answers-stands">
      {pairs.slice(0, TOLD).map(({ a, b, samples, same, kappa, kappa_low: low, kappa_high: high }) => (
        <p key={`${a}/${b}`}>
          <strong>
            {a} and {b}
          </strong>{" "}
          said the same of {count(same)} of {many(samples, "sample")} ({percent(same / samples)})
          {kappa !== null && (
            <>
              ; Cohen&apos;s{" "}
              <abbr title="1 is always the same, 0 is as chance would">κ {kappa.toFixed(2)}</abbr>
              {low != null && high != null && ` (95 %: ${low.toFixed(2)}–${high.toFixed(2)})`}
            </>
          )}
          .
        </p>
      ))}
      {pairs.length > TOLD && (
        <p className="dim">{many(pairs.length - TOLD, "more pair")} on the dataset&apos;s page.</p>
      )}
      <p className="dim">
        Exports use the {count(agreed)} agreed and {count(adjudicated)} adjudicated.{" "}
        {waits.length > 0 && `Not reviewed for them: ${waits.join(", ")}.`}
      </p>
    </div>
  );
}
