/** The four curves of a training, drawn from the epochs as they come. */
import { isTrained, type Epoch, type Run } from "@/api/client";
import { ChartTable } from "@/parts/ChartTable";
import { figure, percent } from "@/parts/format";
import { LineChart, type Series } from "@/parts/LineChart";
import { LossHistogram } from "@/parts/LossHistogram";
import { Card } from "@/parts/Page";

export function Curves({ run, epochs }: { run: Run; epochs: Epoch[] }) {
  if (epochs.length === 0) {
    return run.status === "running" && isTrained(run) ? (
      <Card title="Curves">
        <p className="run-waiting dim">The first curves appear after the first epoch.</p>
      </Card>
    ) : null;
  }
  const newest = epochs.at(-1);
  if (newest && !isTrained(run)) {
    return (
      <Card title="Losses of all samples" aside="of your predictions to the given labels">
        <LossHistogram epoch={newest} height={232} />
      </Card>
    );
  }
  const total = run.progress.epochs ?? epochs.length;
  const series = (name: string, key: string, color: string): Series => ({
    name,
    color,
    points: epochs
      .map(({ epoch, metrics }) => [epoch, key === "auroc" ? aurocOf(metrics) : metrics[key]] as const)
      .filter((point): point is readonly [number, number] => typeof point[1] === "number"),
  });
  const auroc = series("AUROC", "auroc", "var(--na-relabel)");
  return (
    <>
      <div className="curves">
        {newest && (
          <Card title="Losses of all samples" aside={`after epoch ${newest.epoch}`}>
            <LossHistogram epoch={newest} height={232} />
          </Card>
        )}
        <div className="curves-side">
          <Card title="Training loss" aside={last(series("", "train_loss", ""), figure)}>
            <LineChart
              series={[series("Training loss", "train_loss", "var(--na-clean)")]}
              xMax={total}
              format={figure}
              xName="Epoch"
              height={82}
            />
          </Card>
          <Card title="Agrees with the given label" aside={last(series("", "train_accuracy", ""), percent)}>
            <LineChart
              series={[
                series("Given labels", "train_accuracy", "var(--na-clean)"),
                series("Validation", "validation_accuracy", "var(--na-keep)"),
              ].filter(({ points }) => points.length > 0)}
              xMax={total}
              format={percent}
              xName="Epoch"
              height={82}
            />
          </Card>
        </div>
        <div className="curves-side">
          <Card title="Estimated noise rate" aside={last(series("", "noise_rate", ""), percent)}>
            <LineChart
              series={[series("Noise rate", "noise_rate", "var(--na-noisy)")]}
              xMax={total}
              format={percent}
              xName="Epoch"
              height={82}
              zero
            />
          </Card>
          {auroc.points.length > 0 ? (
            <Card title="AUROC against the true labels" aside={last(auroc, (value) => value.toFixed(3))}>
              <LineChart
                series={[auroc]}
                xMax={total}
                format={(value) => value.toFixed(3)}
                xName="Epoch"
                height={82}
              />
            </Card>
          ) : (
            <Card title="Images per second" aside={last(series("", "images_per_second", ""), figure)}>
              <LineChart
                series={[series("Images per second", "images_per_second", "var(--na-faint)")]}
                xMax={total}
                format={figure}
                xName="Epoch"
                height={82}
                zero
              />
            </Card>
          )}
        </div>
      </div>
      <EpochTable epochs={epochs} />
    </>
  );
}

const COLUMNS: { name: string; key: string; format: (value: number) => string }[] = [
  { name: "Training loss", key: "train_loss", format: figure },
  { name: "Agrees with given", key: "train_accuracy", format: percent },
  { name: "Validation", key: "validation_accuracy", format: percent },
  { name: "Noise rate", key: "noise_rate", format: percent },
  { name: "AUROC", key: "auroc", format: (value) => value.toFixed(3) },
  { name: "Images per second", key: "images_per_second", format: figure },
];

/** The curves in numbers. */
function EpochTable({ epochs }: { epochs: Epoch[] }) {
  const valueOf = ({ metrics }: Epoch, key: string) => {
    const value = key === "auroc" ? aurocOf(metrics) : metrics[key];
    return typeof value === "number" ? value : null;
  };
  const columns = COLUMNS.filter(({ key }) => epochs.some((epoch) => valueOf(epoch, key) !== null));
  return (
    <ChartTable
      summary="Epochs as a table"
      caption="The training by epoch"
      head={["Epoch", ...columns.map(({ name }) => name)]}
      rows={epochs.map((epoch) => [
        epoch.epoch,
        ...columns.map(({ key, format }) => {
          const value = valueOf(epoch, key);
          return value === null ? "–" : format(value);
        }),
      ])}
    />
  );
}

function last({ points }: Series, format: (value: number) => string): string {
  const value = points.at(-1)?.[1];
  return value === undefined ? "" : format(value);
}

/** Against the true labels, where these are known. */
function aurocOf(metrics: Epoch["metrics"]): unknown {
  return (metrics.metrics as { auroc?: number | null } | null | undefined)?.auroc;
}
