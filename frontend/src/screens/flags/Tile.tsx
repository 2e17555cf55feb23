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

export const Tile = memo(function Tile({
  datasetId,
  classes,
  sample,
  standing,
  cursor,
  selected,
  selecting,
  onOpen,
  onSelect,
}: Props) {
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
      aria-current={cursor || undefined}
    >
      <button
        type="button"
        className="tile-main"
        tabIndex={-1}
        // The focus stays where it is, so that keys go on meaning verdicts.
        onMouseDown={(event) => event.preventDefault()}
        onClick={(event) => {
          if (event.shiftKey || event.ctrlKey || event.metaKey) onSelect(sample, event.shiftKey);
          else onOpen(sample);
        }}
      >
        <span className="tile-image">
          <Thumb datasetId={datasetId} index={sample.index} alt={`Sample ${sample.index}`} eager />
        </span>
        <span className="tile-caption">
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
        </span>
      </button>
      <label className="tile-check" data-show={selecting || undefined}>
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
  );
});
