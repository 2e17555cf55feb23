/** The first changes that an export would hold, each with its reason. */
import { Link } from "@tanstack/react-router";

import type { ExportPreview } from "@/api/client";
import { count } from "@/parts/format";
import { Card } from "@/parts/Page";
import { Thumb } from "@/parts/Thumb";
import { useQuery } from "@tanstack/react-query";

import { run as runQuery } from "@/api/queries";

export function Changes({
  preview,
  classes,
  runId,
}: {
  preview: ExportPreview;
  classes: string[];
  runId: string;
}) {
  const datasetId = useQuery(runQuery(runId)).data?.dataset_id;
  const { changes, changes_total: total } = preview;
  if (total === 0) {
    return (
      <Card title="Changes">
        <p className="dim changes-none">With this policy the cleaned labels equal the given ones.</p>
      </Card>
    );
  }
  return (
    <Card
      title="Changes"
      aside={total > changes.length ? `the first ${count(changes.length)} of ${count(total)}` : count(total)}
      flush
    >
      <div className="changes">
        <table>
          <thead>
            <tr>
              <th />
              <th>Sample</th>
              <th>Given</th>
              <th>Cleaned</th>
              <th>Because</th>
            </tr>
          </thead>
          <tbody>
            {changes.map((change) => (
              <tr key={change.index}>
                <td className="changes-image">
                  {datasetId !== undefined && <Thumb datasetId={datasetId} index={change.index} alt="" />}
                </td>
                <td>
                  <Link
                    to="/runs/$runId/review/$index"
                    params={{ runId, index: String(change.index) }}
                    className="changes-name"
                    title={change.name}
                  >
                    {change.name || change.index}
                  </Link>
                </td>
                <td>{classes[change.given_label]}</td>
                <td>
                  {change.cleaned_label === null ? (
                    <span className="changes-removed">removed</span>
                  ) : (
                    <strong>{classes[change.cleaned_label]}</strong>
                  )}
                </td>
                <td className="dim">{change.because}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}
