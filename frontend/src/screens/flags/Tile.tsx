/** One sample in the grid: image, given → suggested, how probably wrong, and what was decided. */
import { memo } from "react";

import type { Sample } from "@/api/client";
import { Mark } from "@/decisions/Mark";
import type { Standing } from "@/decisions/queue";
import { percent } from "@/parts/format";
import { Thumb } from "@/parts/Thumb";

interface Props {
  datasetId: string;
  classes: string[];
  sample: Sample;
  standing: Standing;
  cursor: boolean;
  selected: boolean;
  selecting: boolean;
  onOpen: (sample: Sample) => void;
  onSelect: (sample: Sample, range: boolean) => void;
}

export const Tile = memo(function Tile({ datasetId, classes, sample, standing, cursor, selected, selecting, onOpen, onSelect }: Props) {
  const given = classes[sample.given_label] ?? String(sample.given_label);
  const suggested = classes[sample.suggested_label] ?? String(sample.suggested_label);
  const says = `${given}${sample.flagged ? `, suggested ${suggested}` : ""}, ${percent(sample.noise_posterior)} probably wrong`;
  return (
    <div
      className="tile"
      data-cursor={cursor || undefined}
      data-selected={selected || undefined}
      data-decided={standing?.verdict}
      data-index={sample.index}
      role="button"
      tabIndex={-1}
      aria-label={`Sample ${sample.index}: ${says}`}
      aria-current={cursor || undefined}
      onMouseDown={(event) => event.preventDefault()}
      onClick={(event) => {
        if (event.shiftKey || event.ctrlKey || event.metaKey) onSelect(sample, event.shiftKey);
        else onOpen(sample);
      }}
    >
      <div className="tile-image">
        <Thumb datasetId={datasetId} index={sample.index} alt="" eager />
        <label className="tile-check" data-show={selecting || undefined} onClick={(event) => event.stopPropagation()}>
          <input
            type="checkbox"
            checked={selected}
            tabIndex={-1}
            aria-label={`Select sample ${sample.index}`}
            onChange={(event) => onSelect(sample, (event.nativeEvent as MouseEvent).shiftKey)}
          />
        </label>
        <span className="tile-mark">
          <Mark standing={standing} classes={classes} />
        </span>
      </div>
      <div className="tile-caption">
        <span className="tile-labels" title={says}>
          {given}
          {(sample.flagged || sample.suggested_label !== sample.given_label) && (
            <>
              <span className="tile-arrow"> → </span>
              <b>{suggested}</b>
            </>
          )}
        </span>
        <span className="tile-posterior number">
          <i style={{ width: `${sample.noise_posterior * 100}%` }} />
          <span>{percent(sample.noise_posterior)}</span>
        </span>
      </div>
    </div>
  );
});
