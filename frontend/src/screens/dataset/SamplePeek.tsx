/** A few images of the dataset, evenly spread, with their given order as the only claim. */
import type { Dataset } from "@/api/client";
import { thumbnailUrl } from "@/api/queries";
import { count } from "@/parts/format";
import { Card } from "@/parts/Page";

const SHOWN = 28;

export function SamplePeek({ dataset }: { dataset: Dataset }) {
  const shown = Math.min(SHOWN, dataset.sample_count);
  const indices = Array.from({ length: shown }, (_, n) => Math.floor((n * dataset.sample_count) / shown));
  return (
    <Card title="Images" aside={`${shown} of ${count(dataset.sample_count)}, evenly spread`}>
      <div className="peek">
        {indices.map((index) => (
          <img
            key={index}
            src={thumbnailUrl(dataset.id, index)}
            alt={`Sample ${index}`}
            loading="lazy"
            className="pixels"
          />
        ))}
      </div>
    </Card>
  );
}
