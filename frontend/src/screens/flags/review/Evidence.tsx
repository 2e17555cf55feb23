/** What speaks about a sample beside its image: likely classes, neighbours, decisions so far. */
import { Link } from "@tanstack/react-router";
import { useRef, type KeyboardEvent, type Ref } from "react";

import type { SampleDetail } from "@/api/client";
import { Mark } from "@/decisions/Mark";
import type { Standing } from "@/decisions/standing";
import { KeyOf } from "@/keys/Kbd";
import { ago, figure, percent } from "@/parts/format";
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
}: Of & { standing: Standing; onPick: ((label: number) => void) | undefined }) {
  const chosen = standing?.verdict === "relabel" ? standing.label : null;
  return (
    <ol className="likely" data-plain={!onPick || undefined}>
      {sample.likely.map(({ label, probability }, position) => (
        <li key={label}>
          <button
            type="button"
            disabled={!onPick}
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => onPick?.(label)}
            aria-pressed={chosen === label}
            title={label === sample.suggested_label ? "the suggestion" : undefined}
          >
            {onPick && (
              <span className="likely-key">
                <KeyOf action={`likely${(position + 1) as 1}`} />
              </span>
            )}
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

/** The arrows move among them once one has the focus; Enter opens. */
export function Neighbours({
  sample,
  datasetId,
  nameOf,
  onGo,
  ref,
}: Of & { datasetId: string; onGo: (index: number) => void; ref?: Ref<HTMLUListElement> }) {
  const list = useRef<HTMLUListElement | null>(null);
  function onKeyDown(event: KeyboardEvent) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by === undefined) return;
    const buttons = [...(list.current?.querySelectorAll("button") ?? [])];
    const at = buttons.findIndex((button) => button === document.activeElement);
    if (at < 0) return;
    event.preventDefault();
    buttons[Math.max(0, Math.min(buttons.length - 1, at + by))]?.focus();
  }
  return (
    <ul
      className="near"
      onKeyDown={onKeyDown}
      ref={(element) => {
        list.current = element;
        if (typeof ref === "function") ref(element);
        else if (ref) ref.current = element;
      }}
    >
      {sample.neighbours.map(({ index, given_label, distance }) => (
        <li key={index}>
          <button
            type="button"
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => onGo(index)}
            title={`Sample ${index}, given ${nameOf(given_label)}, distance ${figure(distance)}`}
            data-as={
              given_label === sample.given_label
                ? "given"
                : given_label === sample.suggested_label
                  ? "suggested"
                  : undefined
            }
          >
            <Thumb datasetId={datasetId} index={index} alt={`Sample ${index}, given`} eager />
            <span>{nameOf(given_label)}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

/** "5 of 8 are given 3, 3 are given 8": the labels around, most frequent first. */
export function labelsAround(sample: SampleDetail, nameOf: (label: number) => string): string {
  const counts = new Map<number, number>();
  for (const { given_label } of sample.neighbours)
    counts.set(given_label, (counts.get(given_label) ?? 0) + 1);
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .slice(0, 3)
    .map(([label, number]) => `${number} × ${nameOf(label)}`)
    .join(", ");
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
            {decision.carried_from && (
              <>
                {" · "}
                <Link
                  to="/datasets/$datasetId"
                  params={{ datasetId: decision.carried_from }}
                  className="panel-carried"
                >
                  in another version
                </Link>
              </>
            )}
          </span>
        </li>
      ))}
    </ol>
  );
}
