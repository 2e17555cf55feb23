/** A sample's small image: by itself, or as a cell of a picture that holds many. */
import { thumbnailUrl } from "@/api/queries";

import { cellAt, type Picture } from "./atlas";

interface Props {
  datasetId: string;
  index: number;
  alt: string;
  eager?: boolean;
}

/** Tiny images are enlarged pixel by pixel, as they are. */
export function Thumb({ datasetId, index, alt, eager = false }: Props) {
  return (
    <img
      src={thumbnailUrl(datasetId, index)}
      alt={alt}
      loading={eager ? "eager" : "lazy"}
      decoding="async"
      draggable={false}
      className="thumb pixels"
    />
  );
}

export function AtlasThumb({ picture, position, alt }: { picture: Picture; position: number; alt: string }) {
  const cell = cellAt(picture, position);
  return (
    <span
      // Without words it is decoration, as with an image's empty alt.
      {...(alt === "" ? { "aria-hidden": true } : { role: "img", "aria-label": alt })}
      className="thumb"
      style={{
        backgroundImage: `url("${picture.url}")`,
        backgroundSize: cell.size,
        backgroundPosition: cell.position,
      }}
    />
  );
}
