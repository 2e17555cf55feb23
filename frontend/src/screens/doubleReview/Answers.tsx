/** One sample with what each reviewer said of it, and what is settled. */
import { Link } from "@tanstack/react-router";
import { IconArrowsExchange, IconTag } from "@tabler/icons-react";
import { useEffect, useRef } from "react";

import type { Dataset } from "@/api/client";
import type { Reviewed } from "@/api/review";
import { DecisionButtons } from "@/decisions/DecisionButtons";
import { Mark } from "@/decisions/Mark";
import { standingFrom } from "@/decisions/queues";
import { KeyOf } from "@/keys/Kbd";
import { ago } from "@/parts/format";
import { Thumb } from "@/parts/Thumb";

import { relabelOf, type Verdict } from "./useAdjudications";

interface Props {
  dataset: Dataset;
  sample: Reviewed;
  /** The run whose evidence there is to look at. */
  newest: string | undefined;
  /** The keys mean this one. */
  cursor: boolean;
  onPoint: () => void;
  /** Absent where nothing is to be settled. */
  onSettle: ((verdict: Verdict, label?: number) => void) | undefined;
  onRelabel: () => void;
}

export function Answers({ dataset, sample, newest, cursor, onPoint, onSettle, onRelabel }: Props) {
  const place = useRef<HTMLElement>(null);
  const nameOf = (label: number) => dataset.classes[label] ?? String(label);
  const [first, ...others] = relabelOf(sample);
  const settled = standingFrom(sample.adjudication);
  useEffect(() => {
    if (cursor) place.current?.scrollIntoView({ block: "nearest" });
  }, [cursor]);
  return (
    <section
      ref={place}
      className="card answers"
      aria-label={`Sample ${sample.index}`}
      aria-current={cursor || undefined}
      onPointerDown={onPoint}
    >
      <Thumb datasetId={dataset.id} index={sample.index} alt={`Sample ${sample.index}`} />
      <div className="answers-said">
        <header>
          <strong className="number">Sample {sample.index}</strong>
          <span className="dim">given label {nameOf(sample.given_label)}</span>
          {newest !== undefined && (
            <Link
              to="/runs/$runId/review/$index"
              params={{ runId: newest, index: String(sample.index) }}
              search={{ show: "all" }}
              className="answers-evidence"
            >
              Evidence
            </Link>
          )}
        </header>
        <ul>
          {sample.answers.map((said) => (
            <li key={said.account}>
              <span className="answers-who">{said.account}</span>
              <span>
                <Mark standing={standingFrom(said)} classes={dataset.classes} word />
              </span>
              <span className="faint">{ago(said.decided_at)}</span>
            </li>
          ))}
        </ul>
      </div>
      {onSettle && (
        <div className="answers-settle">
          <DecisionButtons
            standing={settled}
            keys={cursor}
            keep={`Keep ${nameOf(sample.given_label)}`}
            suggestion={first === undefined ? undefined : `Relabel to ${nameOf(first)}`}
            onKeep={() => onSettle("keep")}
            onAccept={first === undefined ? undefined : () => onSettle("relabel", first)}
            onRemove={() => onSettle("remove")}
            onUnsure={() => onSettle("unsure")}
          >
            {others.map((label) => (
              <button type="button" className="decide" key={label} onClick={() => onSettle("relabel", label)}>
                <IconArrowsExchange
                  size={15}
                  stroke={2.25}
                  aria-hidden
                  style={{ color: "var(--na-relabel)" }}
                />
                <span className="decide-word">Relabel to {nameOf(label)}</span>
              </button>
            ))}
            <button type="button" className="decide" onClick={onRelabel}>
              <IconTag size={15} stroke={2} aria-hidden style={{ color: "var(--na-relabel)" }} />
              <span className="decide-word">Another class</span>
              {cursor && <KeyOf action="relabel" />}
            </button>
          </DecisionButtons>
          {settled && (
            <p className="answers-settled" role="status">
              Settled: <Mark standing={settled} classes={dataset.classes} word />{" "}
              <button type="button" className="more" onClick={() => onSettle("cleared")}>
                Take it back
              </button>
            </p>
          )}
        </div>
      )}
    </section>
  );
}
