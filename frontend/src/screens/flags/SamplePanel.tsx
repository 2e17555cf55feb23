/** One sample and everything that speaks about it, with the verdicts beside the image. */
import { CloseButton, Skeleton } from "@mantine/core";
import { IconArrowRight, IconTag } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";

import type { Sample, SampleDetail } from "@/api/client";
import { imageUrl, sample as sampleQuery } from "@/api/queries";
import { DecisionButtons } from "@/decisions/DecisionButtons";
import type { Standing } from "@/decisions/queue";
import { Kbd } from "@/keys/KeyHelp";
import { count, figure, percent } from "@/parts/format";
import { ErrorState } from "@/parts/States";

import { History, LikelyClasses, LossByEpoch, Neighbours } from "./Evidence";
import "./panel.css";

interface Props {
  runId: string;
  datasetId: string;
  classes: string[];
  index: number;
  /** The row as the grid has it, shown until the rest has come. */
  row: Sample | undefined;
  position: { at: number; of: number } | null;
  standing: (sample: Sample) => Standing;
  onDecide: (sample: Sample, verdict: "keep" | "relabel" | "remove" | "unsure", label?: number) => void;
  onRelabel: () => void;
  onZoom: () => void;
  onGo: (index: number) => void;
  onClose: () => void;
}

export function SamplePanel({
  runId,
  datasetId,
  classes,
  index,
  row,
  position,
  standing,
  onDecide,
  onRelabel,
  onZoom,
  onGo,
  onClose,
}: Props) {
  const asked = useQuery(sampleQuery(runId, index));
  const sample: Sample | SampleDetail | undefined = asked.data ?? row;
  const nameOf = (label: number) => classes[label] ?? String(label);
  return (
    <aside className="panel" aria-label={`Sample ${index}`} data-testid="panel">
      <header className="panel-head">
        <div className="panel-where">
          <strong className="number">Sample {index}</strong>
          <span className="faint panel-name" title={sample?.name}>
            {sample?.name}
          </span>
        </div>
        {position && (
          <span className="faint number">
            {count(position.at + 1)} of {count(position.of)}
          </span>
        )}
        <CloseButton aria-label="Close the sample" onClick={onClose} />
      </header>
      {asked.isError && !sample && <ErrorState error={asked.error} retry={() => void asked.refetch()} />}
      {sample && (
        <>
          <button
            type="button"
            className="panel-image"
            onClick={onZoom}
            onMouseDown={(event) => event.preventDefault()}
            aria-label="Enlarge the image"
          >
            <img
              key={index}
              src={imageUrl(datasetId, index)}
              alt={`Sample ${index}`}
              className={isSmall(asked.data) ? "pixels" : undefined}
              draggable={false}
            />
          </button>
          <div className="panel-labels">
            <div className="panel-label">
              <span className="faint">Given</span>
              <strong>{nameOf(sample.given_label)}</strong>
            </div>
            <IconArrowRight size={16} className="faint" aria-hidden />
            <div className="panel-label">
              <span className="faint">Suggested</span>
              <strong className={sample.suggested_label === sample.given_label ? "" : "panel-suggested"}>
                {nameOf(sample.suggested_label)}
              </strong>
            </div>
            <div className="panel-label panel-right">
              <span className="faint">Probably wrong</span>
              <strong className="number">{percent(sample.noise_posterior)}</strong>
            </div>
          </div>
          <DecisionButtons
            standing={standing(sample)}
            suggestion={acceptWord(standing(sample), sample, nameOf)}
            onKeep={() => onDecide(sample, "keep")}
            onAccept={() => onDecide(sample, "relabel")}
            onRemove={() => onDecide(sample, "remove")}
            onUnsure={() => onDecide(sample, "unsure")}
          />
          {asked.data ? (
            <Detail
              sample={asked.data}
              classes={classes}
              nameOf={nameOf}
              datasetId={datasetId}
              standing={standing(sample)}
              onPick={(label) => onDecide(sample, label === sample.given_label ? "keep" : "relabel", label)}
              onRelabel={onRelabel}
              onGo={onGo}
            />
          ) : (
            <Skeleton height={180} mt="md" />
          )}
        </>
      )}
      {!sample && asked.isPending && <Skeleton height={380} />}
    </aside>
  );
}

interface DetailProps {
  sample: SampleDetail;
  classes: string[];
  datasetId: string;
  nameOf: (label: number) => string;
  standing: Standing;
  onPick: (label: number) => void;
  onRelabel: () => void;
  onGo: (index: number) => void;
}

function Detail({ sample, classes, datasetId, nameOf, standing, onPick, onRelabel, onGo }: DetailProps) {
  return (
    <>
      <section className="panel-part">
        <header>
          <h3>Likely classes</h3>
          <button
            type="button"
            className="panel-other"
            onClick={onRelabel}
            onMouseDown={(event) => event.preventDefault()}
          >
            <IconTag size={13} aria-hidden /> another class <Kbd>L</Kbd>
          </button>
        </header>
        <LikelyClasses sample={sample} nameOf={nameOf} standing={standing} onPick={onPick} />
      </section>
      {sample.why.length > 0 && (
        <section className="panel-part">
          <h3>Why</h3>
          <ul className="panel-why">
            {sample.why.map((reason) => (
              <li key={reason}>{reason}</li>
            ))}
          </ul>
        </section>
      )}
      {sample.loss_by_epoch.length > 0 && (
        <section className="panel-part">
          <header>
            <h3>Loss by epoch</h3>
            <span className="faint number">now {figure(sample.loss)} nats</span>
          </header>
          <LossByEpoch sample={sample} nameOf={nameOf} />
        </section>
      )}
      {sample.neighbours.length > 0 && (
        <section className="panel-part">
          <h3>Nearest samples</h3>
          <Neighbours sample={sample} datasetId={datasetId} nameOf={nameOf} onGo={onGo} />
        </section>
      )}
      {sample.true_label != null && (
        <p className="faint panel-true">
          True label, known because the noise was planted: <strong>{nameOf(sample.true_label)}</strong>
        </p>
      )}
      {sample.history.length > 0 && (
        <section className="panel-part">
          <h3>Decisions</h3>
          <History sample={sample} classes={classes} />
        </section>
      )}
    </>
  );
}

const SMALL = 160;

const isSmall = (sample: SampleDetail | undefined) =>
  !sample || Math.max(sample.width, sample.height) <= SMALL;

function acceptWord(standing: Standing, sample: Sample, nameOf: (label: number) => string): string {
  const label =
    standing?.verdict === "relabel" && standing.label !== null ? standing.label : sample.suggested_label;
  return label === sample.suggested_label ? `Accept ${nameOf(label)}` : nameOf(label);
}
