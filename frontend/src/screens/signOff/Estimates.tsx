/** The three estimates, each as a point with its interval on one scale, and in numbers beside it. */
import type { SignOff } from "@/api/evidence";
import { count, percent } from "@/parts/format";
import { Card } from "@/parts/Page";

import { scaleTop } from "./scaleTop";

type Estimate = NonNullable<SignOff["noise_rate"]>;

export function Estimates({ signOff }: { signOff: SignOff }) {
  const { noise_rate: rate, flag_precision: precision, missed, missed_count: missedCount } = signOff;
  const rows: { name: string; says: string; estimate: Estimate | null | undefined; top: number }[] = [
    {
      name: "Noise rate",
      says: "wrong labels among all samples",
      estimate: rate,
      top: scaleTop([rate, missed]),
    },
    {
      name: "Precision of the flags",
      says: "flagged samples that are really wrong",
      estimate: precision,
      top: 1,
    },
    {
      name: "Missed",
      says: "wrong labels among what was not flagged",
      estimate: missed,
      top: scaleTop([rate, missed]),
    },
  ];
  return (
    <Card title="What the reviews say" aside="estimate and 95 % interval">
      <div className="table-wide" tabIndex={0} role="region" aria-label="Estimates">
        <table className="table estimates number">
          <caption className="visually-hidden">Estimates from the reviewed sample</caption>
          <thead>
            <tr>
              <th scope="col">What</th>
              <th scope="col">Estimate</th>
              <th scope="col">95 %</th>
              <th scope="col" className="estimates-picture">
                <span className="visually-hidden">Picture</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ name, says, estimate, top }) => (
              <tr key={name}>
                <th scope="row">
                  <b>{name}</b>
                  <span className="dim estimates-says">{says}</span>
                </th>
                <td className="estimates-value">{estimate ? percent(estimate.value) : "–"}</td>
                <td>{estimate ? `${percent(estimate.low)} to ${percent(estimate.high)}` : "–"}</td>
                <td className="estimates-picture">{estimate && <Whisker estimate={estimate} top={top} />}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {missedCount && (
        <p className="dim estimates-count">
          That is {count(missedCount.value)} wrong labels that no flag points to (
          {count(Math.floor(missedCount.low))} to {count(Math.ceil(missedCount.high))}).
        </p>
      )}
      {!rate && <p className="dim estimates-count">They appear with the first reviewed samples.</p>}
    </Card>
  );
}

function Whisker({ estimate, top }: { estimate: Estimate; top: number }) {
  const at = (share: number) => `${Math.min(1, share / top) * 100}%`;
  return (
    <div className="whisker" aria-hidden>
      <div className="whisker-line">
        <i
          className="whisker-span"
          style={{ left: at(estimate.low), right: `calc(100% - ${at(estimate.high)})` }}
        />
        <i className="whisker-dot" style={{ left: at(estimate.value) }} />
      </div>
      <span className="faint">0</span>
      <span className="faint">{percent(top)}</span>
    </div>
  );
}
