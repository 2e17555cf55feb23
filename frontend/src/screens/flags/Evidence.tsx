/** The parts of the sample panel: likely classes, loss by epoch, neighbours, decisions so far. */
import type { SampleDetail } from "@/api/client";
import { Mark } from "@/decisions/Mark";
import type { Standing } from "@/decisions/queue";
import { ago, figure, percent } from "@/parts/format";
import { LineChart } from "@/parts/LineChart";
import { Thumb } from "@/parts/Thumb";

interface Of {
  sample: SampleDetail;
  nameOf: (label: number) => string;
}

export function LikelyClasses({
  sample,
  nameOf,
  standing,
  onPick,
}: Of & { standing: Standing; onPick: (label: number) => void }) {
  return (
    <ol className="likely">
      {sample.likely.map(({ label, probability }, position) => (
        <li key={label}>
          <button
            type="button"
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => onPick(label)}
            aria-pressed={standing?.verdict === "relabel" && standing.label === label}
          >
            <kbd className="kbd">{position + 1}</kbd>
            <span className="likely-name">
              {nameOf(label)}
              {label === sample.given_label && <em className="faint"> given</em>}
            </span>
            <span className="likely-bar">
              <i style={{ width: `${probability * 100}%` }} />
            </span>
            <span className="likely-share number dim">{percent(probability)}</span>
          </button>
        </li>
      ))}
    </ol>
  );
}

export function LossByEpoch({ sample, nameOf }: Of) {
  const colourOf = (label: number) =>
    label === sample.given_label
      ? "var(--na-clean)"
      : label === sample.suggested_label
        ? "var(--na-relabel)"
        : "var(--na-line-strong)";
  return (
    <>
      <LineChart
        series={[
          {
            name: "Loss",
            color: "var(--na-noisy)",
            points: sample.loss_by_epoch.map((loss, epoch) => [epoch + 1, loss] as const),
          },
        ]}
        height={104}
        xName="Epoch"
        format={figure}
        zero
        marks={sample.prediction_by_epoch.map((label, epoch) => ({
          x: epoch + 1,
          color: colourOf(label),
          title: `Epoch ${epoch + 1}: predicted ${nameOf(label)}`,
        }))}
      />
      <div className="chart-legend">
        <span className="faint">predicted:</span>
        <span>
          <i style={{ background: "var(--na-clean)" }} /> {nameOf(sample.given_label)}
        </span>
        {sample.suggested_label !== sample.given_label && (
          <span>
            <i style={{ background: "var(--na-relabel)" }} /> {nameOf(sample.suggested_label)}
          </span>
        )}
      </div>
    </>
  );
}

export function Neighbours({
  sample,
  datasetId,
  nameOf,
  onGo,
}: Of & { datasetId: string; onGo: (index: number) => void }) {
  return (
    <div className="near">
      {sample.neighbours.map(({ index, given_label, distance }) => (
        <button
          type="button"
          key={index}
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => onGo(index)}
          title={`Sample ${index}, distance ${figure(distance)}`}
          data-same={given_label === sample.given_label || undefined}
        >
          <Thumb datasetId={datasetId} index={index} alt={`Sample ${index}`} eager />
          <span>{nameOf(given_label)}</span>
        </button>
      ))}
    </div>
  );
}

export function History({ sample, classes }: { sample: SampleDetail; classes: string[] }) {
  return (
    <ol className="panel-history">
      {sample.history.map((decision, position) => (
        <li key={position}>
          {decision.verdict === "cleared" ? (
            <span className="dim">cleared</span>
          ) : (
            <Mark standing={{ verdict: decision.verdict, label: decision.label }} classes={classes} word />
          )}
          <span className="faint">
            {decision.account}, {ago(decision.decided_at)}
          </span>
        </li>
      ))}
    </ol>
  );
}
