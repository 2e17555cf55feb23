/** Both fitted mixtures in numbers: the chart's content as a table. */
import type { Epoch } from "@/api/client";
import { figure, percent } from "@/parts/format";
import { Card } from "@/parts/Page";

interface Fitted {
  weights?: number[];
  parameters?: unknown;
  log_likelihood?: number | null;
  threshold?: number | null;
}

const TITLES = { beta: "Beta", gaussian: "Gaussian" } as const;

export function MixtureTable({ epoch }: { epoch: Epoch }) {
  const { chosen } = epoch.mixtures as { chosen?: string };
  const fitted = (["beta", "gaussian"] as const)
    .map((name) => ({ name, mixture: epoch.mixtures[name] as Fitted | null | undefined }))
    .filter(({ mixture }) => mixture != null);
  if (fitted.length === 0) return null;
  return (
    <Card title="Mixtures">
      <table className="mixtures number">
        <thead>
          <tr>
            <th />
            {fitted.map(({ name }) => (
              <th key={name} scope="col">
                {TITLES[name]}
                {name === chosen && <span className="mixtures-chosen">chosen</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <Row
            name="Noisy share"
            values={fitted.map(({ mixture }) => mixture?.weights?.[1])}
            format={percent}
          />
          <Row
            name="Threshold, nats"
            values={fitted.map(({ mixture }) => mixture?.threshold)}
            format={figure}
          />
          <Row
            name="Log-likelihood"
            values={fitted.map(({ mixture }) => mixture?.log_likelihood)}
            format={figure}
          />
        </tbody>
      </table>
    </Card>
  );
}

function Row({
  name,
  values,
  format,
}: {
  name: string;
  values: (number | null | undefined)[];
  format: (value: number) => string;
}) {
  return (
    <tr>
      <th scope="row" className="dim">
        {name}
      </th>
      {values.map((value, position) => (
        <td key={position}>{value == null ? "–" : format(value)}</td>
      ))}
    </tr>
  );
}
