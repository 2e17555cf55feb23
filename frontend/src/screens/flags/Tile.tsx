/** One sample in the grid: image, given → suggested, how probably wrong, and what was decided. */
import { memo } from "react";

import type { Sample } from "@/api/client";
import { Mark } from "@/decisions/Mark";
import type { Standing } from "@/decisions/standing";
import type { Picture } from "@/parts/atlas";
import { percent } from "@/parts/format";
import { AtlasThumb } from "@/parts/Thumb";

interface Props {
  index: number;
  /** Absent while the row is on its way: the image is there already, and opens. */
  sample: Sample | undefined;
  classes: string[];
  standing: Standing;
  cursor: boolean;
  selected: boolean;
  selecting: boolean;
  onOpen: (index: number) => void;
  /** Absent where nothing can be done with a selection. */
  onSelect: ((index: number, range: boolean) => void) | undefined;
  /** The composed picture that holds the image, and the sample's position in its list. */
  picture: Picture;
  position: number;
}

export const Tile = memo(function Tile({
  index,
  sample,
  classes,
  standing,
  cursor,
  selected,
  selecting,
  onOpen,
  onSelect,
  picture,
  position,
}: Props) {
  return (
    <div
      className="tile"
      data-cursor={cursor || undefined}
      data-selected={selected || undefined}
      data-decided={standing?.verdict}
      data-index={index}
      aria-current={cursor || undefined}
    >
      <button
        type="button"
        className="tile-main"
        tabIndex={-1}
        // The focus stays where it is, so that keys go on meaning verdicts.
        onMouseDown={(event) => event.preventDefault()}
        onClick={(event) => {
          const chosen = event.shiftKey || event.ctrlKey || event.metaKey;
          if (onSelect && chosen) onSelect(index, event.shiftKey);
          else onOpen(index);
        }}
      >
        <span className="tile-image">
          <AtlasThumb picture={picture} position={position} alt={`Sample ${index}`} />
        </span>
        <span className="tile-caption">{sample && <Caption sample={sample} classes={classes} />}</span>
      </button>
      {onSelect && (
        <label className="tile-check" data-show={selecting || undefined}>
          <input
            type="checkbox"
            checked={selected}
            tabIndex={-1}
            aria-label={`Select sample ${index}`}
            onChange={(event) => onSelect(index, (event.nativeEvent as MouseEvent).shiftKey)}
          />
        </label>
      )}
      <span className="tile-mark">
        <Mark standing={standing} classes={classes} />
      </span>
    </div>
  );
});

function Caption({ sample, classes }: { sample: Sample; classes: string[] }) {
  const given = classes[sample.given_label] ?? String(sample.given_label);
  const suggested = classes[sample.suggested_label] ?? String(sample.suggested_label);
  const doubted = sample.flagged || sample.suggested_label !== sample.given_label;
  return (
    <>
      <span className="tile-labels" title={doubted ? `${given} → ${suggested}` : given}>
        {given}
        {doubted && (
          <>
            <span className="tile-arrow"> → </span>
            <b>{suggested}</b>
          </>
        )}
      </span>
      <span className="tile-posterior number" title={`${percent(sample.noise_posterior)} probably wrong`}>
        <span className="tile-bar">
          <i style={{ width: `${sample.noise_posterior * 100}%` }} />
        </span>
        <span className="tile-share">{percent(sample.noise_posterior)}</span>
      </span>
    </>
  );
}
