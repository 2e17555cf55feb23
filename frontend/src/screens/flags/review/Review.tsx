/** One sample and everything that speaks about it; a verdict leads to the next. */
import { ActionIcon, Skeleton, Tooltip } from "@mantine/core";
import { IconArrowLeft, IconChevronLeft, IconChevronRight } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode, Ref } from "react";

import type { Sample } from "@/api/client";
import { sample as sampleQuery } from "@/api/queries";
import type { Standing } from "@/decisions/standing";
import type { Verdict } from "@/decisions/verdicts";
import { KeyOf } from "@/keys/Kbd";
import { count } from "@/parts/format";
import { ErrorState } from "@/parts/States";

import type { List } from "../useList";
import { Reasons } from "./Reasons";
import { Stage } from "./Stage";
import { Strip } from "./Strip";
import "./review.css";

interface Props {
  runId: string;
  datasetId: string;
  classes: string[];
  index: number;
  list: List;
  pictureSize: number;
  /** How far the review is. */
  progress: ReactNode;
  standing: (sample: Sample) => Standing;
  /** Absent for those who only look. */
  onDecide: ((sample: Sample, verdict: Verdict, label?: number) => void) | undefined;
  barred: boolean;
  onRelabel: () => void;
  onZoom: () => void;
  onStep: (by: number) => void;
  onGo: (index: number) => void;
  onAside: (index: number) => void;
  onClose: () => void;
  neighbours: Ref<HTMLUListElement>;
}

export function Review(props: Props) {
  const { runId, datasetId, classes, index, list, standing, onDecide } = props;
  const asked = useQuery(sampleQuery(runId, index));
  // The row as the gallery has it is shown until the rest has come.
  const sample = asked.data ?? list.row(index);
  const nameOf = (label: number) => classes[label] ?? String(label);
  const at = list.order.indexOf(index);
  return (
    <section className="review" aria-label={`Sample ${index}`} data-testid="panel">
      <header className="review-head">
        <button type="button" className="review-back" onClick={props.onClose}>
          <IconArrowLeft size={16} aria-hidden /> Gallery <KeyOf action="close" />
        </button>
        <div className="panel-where">
          <strong className="number">Sample {index}</strong>
          <span className="faint panel-name" title={sample?.name}>
            {sample?.name}
          </span>
        </div>
        {props.progress}
        <span className="dim number review-position">
          {at >= 0 && list.total !== null
            ? `${count(at + 1)} of ${count(list.total)}`
            : list.pending
              ? ""
              : "not in this list"}
        </span>
        <div className="review-steps">
          <Step name="Previous sample" by={-1} onStep={props.onStep} />
          <Step name="Next sample" by={1} onStep={props.onStep} />
        </div>
      </header>
      {asked.isError && !sample ? (
        <div className="review-error">
          <ErrorState error={asked.error} retry={() => void asked.refetch()} />
        </div>
      ) : (
        <>
          <Stage
            datasetId={datasetId}
            index={index}
            sample={sample}
            classes={classes}
            standing={sample ? standing(sample) : null}
            onDecide={onDecide}
            barred={props.barred}
            onRelabel={props.onRelabel}
            onZoom={props.onZoom}
          />
          <div className="reasons" tabIndex={0} role="region" aria-label="What speaks about it">
            {asked.data ? (
              <Reasons
                sample={asked.data}
                classes={classes}
                nameOf={nameOf}
                datasetId={datasetId}
                standing={standing(asked.data)}
                onPick={onDecide && ((label) => onDecide(asked.data, "relabel", label))}
                onAside={props.onAside}
                neighbours={props.neighbours}
              />
            ) : (
              <Skeleton height="60%" />
            )}
          </div>
        </>
      )}
      {at >= 0 && (
        <Strip
          datasetId={datasetId}
          list={list}
          classes={classes}
          at={at}
          pictureSize={props.pictureSize}
          standing={standing}
          onGo={props.onGo}
        />
      )}
    </section>
  );
}

function Step({ name, by, onStep }: { name: string; by: number; onStep: (by: number) => void }) {
  return (
    <Tooltip label={name}>
      <ActionIcon
        size="md"
        aria-label={name}
        onMouseDown={(event) => event.preventDefault()}
        onClick={() => onStep(by)}
      >
        {by < 0 ? <IconChevronLeft size={18} stroke={1.75} /> : <IconChevronRight size={18} stroke={1.75} />}
      </ActionIcon>
    </Tooltip>
  );
}
