/** The image, what is given and suggested, and the verdicts. */
import { IconArrowRight, IconTag } from "@tabler/icons-react";

import type { Sample } from "@/api/client";
import { imageUrl } from "@/api/queries";
import { DecisionButtons } from "@/decisions/DecisionButtons";
import { LookOnly } from "@/decisions/LookOnly";
import { Mark } from "@/decisions/Mark";
import type { Standing } from "@/decisions/standing";
import type { Verdict } from "@/decisions/verdicts";
import { KeyOf } from "@/keys/Kbd";
import { percent } from "@/parts/format";

interface Props {
  datasetId: string;
  index: number;
  sample: Sample | undefined;
  classes: string[];
  standing: Standing;
  /** Absent for those who only look, and until that is known. */
  onDecide: ((sample: Sample, verdict: Verdict, label?: number) => void) | undefined;
  /** Whether it is known that one only looks. */
  barred: boolean;
  onRelabel: () => void;
  onZoom: () => void;
}

/** Up to here an image is enlarged pixel by pixel, as it is. */
const SMALL = 160;
/** Larger, and the eye sees squares instead of the thing; in pixels of the original, and of the screen. */
const ENLARGED = { times: 12, atLeast: 320 };

export function Stage({ datasetId, index, sample, classes, standing, barred, ...on }: Props) {
  const nameOf = (label: number) => classes[label] ?? String(label);
  const decide = (verdict: Verdict) => () => {
    if (sample) on.onDecide?.(sample, verdict);
  };
  const longer = Math.max(sample?.width ?? 0, sample?.height ?? 0);
  const room = Math.max(ENLARGED.atLeast, longer * ENLARGED.times);
  return (
    <section className="stage" aria-label="Image and verdict">
      <button
        type="button"
        className="panel-image"
        onClick={on.onZoom}
        onMouseDown={(event) => event.preventDefault()}
        aria-label={`Enlarge the image of sample ${index}`}
      >
        <img
          key={index}
          src={imageUrl(datasetId, index)}
          alt={`Sample ${index}`}
          className={longer <= SMALL ? "pixels" : undefined}
          style={longer > 0 ? { maxWidth: room, maxHeight: room } : undefined}
          decoding="sync"
          draggable={false}
        />
      </button>
      {sample && (
        <div className="stage-verdict">
          <div className="panel-labels">
            <div className="panel-label">
              <span className="dim">Given</span>
              <strong title={nameOf(sample.given_label)}>{nameOf(sample.given_label)}</strong>
            </div>
            <IconArrowRight size={18} className="faint" aria-hidden />
            <div className="panel-label">
              <span className="dim">Suggested</span>
              <strong
                title={nameOf(sample.suggested_label)}
                className={sample.suggested_label === sample.given_label ? "" : "panel-suggested"}
              >
                {nameOf(sample.suggested_label)}
              </strong>
            </div>
            <div className="panel-label panel-right">
              <span className="dim">Probably wrong</span>
              <strong className="number">{percent(sample.noise_posterior)}</strong>
              <span className="stage-bar" aria-hidden>
                <i style={{ width: `${sample.noise_posterior * 100}%` }} />
              </span>
            </div>
          </div>
          {on.onDecide ? (
            <DecisionButtons
              standing={standing}
              suggestion={acceptWord(standing, sample, nameOf)}
              onKeep={decide("keep")}
              onAccept={decide("relabel")}
              onRemove={decide("remove")}
              onUnsure={decide("unsure")}
            >
              <button
                type="button"
                className="decide"
                onMouseDown={(event) => event.preventDefault()}
                onClick={on.onRelabel}
              >
                <IconTag size={15} stroke={2} aria-hidden style={{ color: "var(--na-relabel)" }} />
                <span className="decide-word">Another class</span>
                <KeyOf action="relabel" />
              </button>
            </DecisionButtons>
          ) : (
            <div className="stage-stands">
              {standing && <Mark standing={standing} classes={classes} word />}
              {barred && !standing && <span className="dim">No decision yet</span>}
              {barred && <LookOnly />}
            </div>
          )}
        </div>
      )}
    </section>
  );
}

function acceptWord(standing: Standing, sample: Sample, nameOf: (label: number) => string): string {
  const label =
    standing?.verdict === "relabel" && standing.label !== null ? standing.label : sample.suggested_label;
  return label === sample.suggested_label ? `Accept ${nameOf(label)}` : nameOf(label);
}
