/** The list around the open sample, as a strip of small images; each opens. */
import { useElementSize } from "@mantine/hooks";

import type { Sample } from "@/api/client";
import { Mark } from "@/decisions/Mark";
import type { Standing } from "@/decisions/standing";
import { AtlasThumb } from "@/parts/Thumb";
import { useAtlas } from "@/parts/useAtlas";

import type { List } from "../useList";

interface Props {
  datasetId: string;
  list: List;
  classes: string[];
  /** Position of the open sample. */
  at: number;
  /** Of the gallery's tiles: the strip shows the same pictures. */
  pictureSize: number;
  standing: (sample: Sample) => Standing;
  onGo: (index: number) => void;
}

const SIDE = 52;
const GAP = 6;

export function Strip({ datasetId, list, classes, at, pictureSize, standing, onGo }: Props) {
  const { ref, width } = useElementSize();
  const { order } = list;
  const atlas = useAtlas(datasetId, order, pictureSize);
  const room = Math.max(1, Math.floor((width + GAP) / (SIDE + GAP)));
  const first = Math.max(0, Math.min(at - Math.floor(room / 3), order.length - room));
  return (
    <nav className="strip" ref={ref} aria-label="Samples before and after">
      {width > 0 &&
        Array.from(order.subarray(first, first + room), (index, offset) => {
          const position = first + offset;
          const row = list.row(index);
          const stands = row ? standing(row) : null;
          return (
            <button
              type="button"
              key={index}
              className="strip-cell"
              tabIndex={-1}
              aria-label={`Go to ${index}${stands ? ", decided" : ""}`}
              aria-current={position === at || undefined}
              data-decided={stands?.verdict}
              onMouseDown={(event) => event.preventDefault()}
              onClick={() => onGo(index)}
            >
              <AtlasThumb picture={atlas.at(position)} position={position} alt="" />
              <Mark standing={stands} classes={classes} />
            </button>
          );
        })}
    </nav>
  );
}
