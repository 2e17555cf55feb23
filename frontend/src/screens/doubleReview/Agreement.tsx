/** How far the reviewers of a dataset agree, where two of them decided the same samples. */
import { useQuery } from "@tanstack/react-query";

import { useMay } from "@/accounts/useMay";
import { agreement, review as reviewQuery } from "@/api/review";
import { count, percent } from "@/parts/format";
import { Card } from "@/parts/Page";
import "@/accounts/accounts.css";

export function Agreement({ datasetId }: { datasetId: string }) {
  const whole = useMay(datasetId)("adjudicate");
  const blind = useQuery(reviewQuery(datasetId)).data?.blind;
  const asked = useQuery({ ...agreement(datasetId), enabled: blind === false || (blind === true && whole) });
  const pairs = asked.data?.items ?? [];
  if (pairs.length === 0) return null;
  return (
    <Card title="Reviewers' agreement" aside="on what both decided">
      <table className="people">
        <caption className="visually-hidden">Agreement of each two reviewers</caption>
        <thead>
          <tr>
            <th scope="col">Reviewers</th>
            <th scope="col">Samples</th>
            <th scope="col">Same</th>
            <th scope="col">
              <abbr title="Cohen's kappa: 1 is always the same, 0 is as chance would">κ</abbr>
            </th>
          </tr>
        </thead>
        <tbody>
          {pairs.map(({ a, b, samples, same, kappa, kappa_low: low, kappa_high: high }) => (
            <tr key={`${a}/${b}`}>
              <th scope="row">
                {a} and {b}
              </th>
              <td className="number">{count(samples)}</td>
              <td className="number">{percent(same / samples)}</td>
              <td className="number">
                {kappa === null ? "–" : kappa.toFixed(2)}
                {low != null && high != null && (
                  <span className="faint agreement-interval">
                    {" "}
                    {low.toFixed(2)}–{high.toFixed(2)}
                  </span>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="faint people-text agreement-says">
        κ is Cohen&apos;s, with its 95 % interval: 1 is always the same, 0 is as chance would.{" "}
        {blind ? "Neither sees what the other decided." : "Reviewers see each other's decisions."}
      </p>
    </Card>
  );
}
