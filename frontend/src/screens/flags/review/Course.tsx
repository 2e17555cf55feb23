/** Loss and margin of one sample by epoch, with what was predicted at each, and the same as a table. */
import type { SampleDetail } from "@/api/client";
import { ChartTable } from "@/parts/ChartTable";
import { figure } from "@/parts/format";
import { LineChart, type Mark, type Series } from "@/parts/LineChart";

interface Props {
  sample: SampleDetail;
  nameOf: (label: number) => string;
}

const HEIGHT = 118;

export function Course({ sample, nameOf }: Props) {
  const { given_label: given, suggested_label: suggested } = sample;
  const colourOf = (label: number) =>
    label === given ? "var(--na-clean)" : label === suggested ? "var(--na-relabel)" : "var(--na-line-strong)";
  const marks = sample.prediction_by_epoch.map((label, epoch) => ({
    x: epoch + 1,
    color: colourOf(label),
    title: `Epoch ${epoch + 1}: predicted ${nameOf(label)}`,
  }));
  const along = { marks, starts: sample.first_epochs.slice(1) };
  return (
    <>
      <div className="course">
        <Chart name="Loss" unit="nats" values={sample.loss_by_epoch} zero {...along} />
        <Chart name="Margin" unit="logits" values={sample.margin_by_epoch} {...along} />
      </div>
      <div className="chart-legend">
        <span className="faint">Predicted:</span>
        <span>
          <i style={{ background: "var(--na-clean)" }} /> {nameOf(given)}
        </span>
        {suggested !== given && (
          <span>
            <i style={{ background: "var(--na-relabel)" }} /> {nameOf(suggested)}
          </span>
        )}
        <span>
          <i style={{ background: "var(--na-line-strong)" }} /> another
        </span>
      </div>
      <ChartTable
        caption={`Loss, margin and prediction of sample ${sample.index} by epoch`}
        head={["Epoch", "Loss", "Margin", "Predicted"]}
        rows={sample.loss_by_epoch.map((loss, epoch) => [
          epoch + 1,
          figure(loss),
          figure(sample.margin_by_epoch[epoch] ?? NaN),
          nameOf(sample.prediction_by_epoch[epoch] ?? -1),
        ])}
      />
    </>
  );
}

interface ChartProps {
  name: string;
  unit: string;
  values: number[];
  zero?: boolean;
  marks: Mark[];
  starts: number[];
}

function Chart({ name, unit, values, zero = false, ...along }: ChartProps) {
  const series: Series[] = [
    { name, color: "var(--na-noisy)", points: values.map((value, epoch) => [epoch + 1, value] as const) },
  ];
  return (
    <figure className="course-chart">
      <figcaption>
        <span className="dim">{name}</span>
        <span className="faint number">
          {figure(values.at(-1) ?? NaN)} {unit}
        </span>
      </figcaption>
      <LineChart series={series} height={HEIGHT} xName="Epoch" format={figure} zero={zero} {...along} />
    </figure>
  );
}
