/** The four curves of a training, drawn from the epochs as they come; what one looks at closely stays in view. */
import { Button, NumberInput, Skeleton } from "@mantine/core";
import { useState } from "react";

import { isTrained, type Epoch, type Run } from "@/api/client";
import { ChartTable } from "@/parts/ChartTable";
import { figure, percent } from "@/parts/format";
import { LineChart, type Series, type Span } from "@/parts/LineChart";
import { LossHistogram } from "@/parts/LossHistogram";
import { LossTable } from "@/parts/LossTable";
import { Card } from "@/parts/Page";

/** With fewer epochs there is nothing to look at more closely. */
const FEWEST_TO_PART = 4;

/** `epochs` is absent until they have come. */
export function Curves({ run, epochs }: { run: Run; epochs: Epoch[] | undefined }) {
  const [part, setPart] = useState<Span | null>(null);
  if (!epochs) return <Skeleton height={300} radius="md" />;
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
        <LossTable epoch={newest} />
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
  const starts = networkStarts(epochs);
  const along = { xMax: total, part, onPart: setPart, xName: "Epoch", height: 103, starts };
  const auroc = series("AUROC", "auroc", "var(--na-relabel)");
  return (
    <>
      <div className="curves">
        {newest && (
          <Card title="Losses of all samples" aside={`after epoch ${newest.epoch}`}>
            <LossHistogram epoch={newest} height={232} />
            <LossTable epoch={newest} />
          </Card>
        )}
        <div className="curves-side">
          <Card title="Training loss" aside={last(series("", "train_loss", ""), figure)}>
            <LineChart
              series={[series("Training loss", "train_loss", "var(--na-clean)")]}
              {...along}
              format={figure}
            />
          </Card>
          <Card title="Agrees with the given label" aside={last(series("", "train_accuracy", ""), percent)}>
            <LineChart
              series={[
                series("Given labels", "train_accuracy", "var(--na-clean)"),
                series("Validation", "validation_accuracy", "var(--na-keep)"),
              ].filter(({ points }) => points.length > 0)}
              {...along}
              format={percent}
            />
          </Card>
        </div>
        <div className="curves-side">
          <Card title="Estimated noise rate" aside={last(series("", "noise_rate", ""), percent)}>
            <LineChart
              series={[series("Noise rate", "noise_rate", "var(--na-noisy)")]}
              {...along}
              format={percent}
              zero
            />
          </Card>
          {auroc.points.length > 0 ? (
            <Card title="AUROC against the true labels" aside={last(auroc, (value) => value.toFixed(3))}>
              <LineChart series={[auroc]} {...along} format={(value) => value.toFixed(3)} />
            </Card>
          ) : (
            <Card title="Images per second" aside={last(series("", "images_per_second", ""), figure)}>
              <LineChart
                series={[series("Images per second", "images_per_second", "var(--na-faint)")]}
                {...along}
                format={figure}
                zero
              />
            </Card>
          )}
        </div>
      </div>
      {starts.length > 0 && (
        <p className="curves-starts dim">
          {starts.length + 1} networks, one after another: the curves break where the next begins. All of them
          judge the samples.
        </p>
      )}
      {epochs.length >= FEWEST_TO_PART && <Part part={part} total={total} onPart={setPart} />}
      <EpochTable epochs={epochs} />
    </>
  );
}

/** Which epochs the curves show: all there will be, or a part that stays while further ones come. */
function Part({
  part,
  total,
  onPart,
}: {
  part: Span | null;
  total: number;
  onPart: (part: Span | null) => void;
}) {
  const [from, to] = part ?? [1, total];
  const choose = (low: number, high: number) => {
    if (low >= 1 && low < high && high <= total) onPart(low === 1 && high === total ? null : [low, high]);
  };
  const end = (name: string, value: number, change: (value: number) => void) => (
    <NumberInput
      aria-label={name}
      size="xs"
      className="part-end number"
      min={1}
      max={total}
      allowDecimal={false}
      hideControls
      value={value}
      onChange={(typed) => typeof typed === "number" && change(typed)}
    />
  );
  return (
    <div className="part dim">
      <span>Epochs</span>
      {end("First epoch shown", from, (low) => choose(low, to))}
      <span>to</span>
      {end("Last epoch shown", to, (high) => choose(from, high))}
      {part ? (
        <Button size="compact-sm" variant="default" onClick={() => onPart(null)}>
          Show all
        </Button>
      ) : (
        <span className="faint part-hint">or drag across a curve to look closer</span>
      )}
    </div>
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

/** The first epochs of the networks after the first. */
function networkStarts(epochs: Epoch[]): number[] {
  return epochs
    .filter(({ metrics }, place) => {
      const before = epochs[place - 1]?.metrics.network;
      return typeof before === "number" && before !== metrics.network;
    })
    .map(({ epoch }) => epoch);
}

function last({ points }: Series, format: (value: number) => string): string {
  const value = points.at(-1)?.[1];
  return value === undefined ? "" : format(value);
}

/** Against the true labels, where these are known. */
function aurocOf(metrics: Epoch["metrics"]): unknown {
  return (metrics.metrics as { auroc?: number | null } | null | undefined)?.auroc;
}
