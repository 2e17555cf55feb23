/** How far the reviewers of a dataset agree, where two of them decided the same samples. */
import { useQuery } from "@tanstack/react-query";

import { agreement } from "@/accounts/queries";
import { count, percent } from "@/parts/format";
import { Card } from "@/parts/Page";
import "@/accounts/accounts.css";

export function ReviewerAgreement({ datasetId }: { datasetId: string }) {
  const pairs = useQuery(agreement(datasetId)).data?.items ?? [];
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
          {pairs.map(({ a, b, samples, same, kappa }) => (
            <tr key={`${a}/${b}`}>
              <th scope="row">
                {a} and {b}
              </th>
              <td className="number">{count(samples)}</td>
              <td className="number">{percent(same / samples)}</td>
              <td className="number">{kappa === null ? "–" : kappa.toFixed(2)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="faint people-text">Reviewers see each other&apos;s decisions.</p>
    </Card>
  );
}
