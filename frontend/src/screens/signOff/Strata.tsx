/** Both parts of the sample in numbers. */
import type { SignOff } from "@/api/evidence";
import { count } from "@/parts/format";
import { Card } from "@/parts/Page";

const NAMES: Record<string, string> = { flagged: "Flagged", unflagged: "Not flagged" };

export function Strata({ signOff }: { signOff: SignOff }) {
  return (
    <Card title="The sample">
      <div className="table-wide" tabIndex={0} role="region" aria-label="Parts of the sample">
        <table className="table number">
          <thead>
            <tr>
              <th scope="col">Part</th>
              <th scope="col">In the dataset</th>
              <th scope="col">Drawn</th>
              <th scope="col">Reviewed</th>
              <th scope="col">Wrong</th>
              <th scope="col">Unsure</th>
              <th scope="col">Skipped</th>
            </tr>
          </thead>
          <tbody>
            {signOff.strata.map((stratum) => (
              <tr key={stratum.name}>
                <th scope="row">{NAMES[stratum.name] ?? stratum.name}</th>
                <td>{count(stratum.samples)}</td>
                <td>{count(stratum.drawn)}</td>
                <td>{count(stratum.reviewed)}</td>
                <td>{count(stratum.wrong)}</td>
                <td>{count(stratum.unsure)}</td>
                <td>{count(stratum.skipped)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}
