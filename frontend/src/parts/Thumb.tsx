/** A sample's small image; tiny ones are enlarged pixel by pixel, as they are. */
import { thumbnailUrl } from "@/api/queries";

interface Props {
  datasetId: string;
  index: number;
  alt: string;
  eager?: boolean;
}

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
