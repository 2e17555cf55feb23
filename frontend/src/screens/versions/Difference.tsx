/** What a version's labels are beside those of the dataset it was derived from. */
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { problemOf, type Dataset } from "@/api/client";
import { difference as differenceQuery, useOpenInGallery } from "@/api/own";
import { count, many } from "@/parts/format";
import { Card } from "@/parts/Page";
import { Loading, ProblemNote } from "@/parts/States";

const SHOWN = 8;
const MOST = 10_000;

export function Difference({ dataset }: { dataset: Dataset }) {
  const found = useQuery(differenceQuery(dataset.id, MOST));
  const gallery = useOpenInGallery(dataset.id);
  const { data } = found;
  return (
    <Card title="Changed labels" aside={data && many(data.changed, "sample")}>
      {found.isPending && <Loading rows={1} />}
      {(found.error ?? gallery.error) && <ProblemNote problem={problemOf(found.error ?? gallery.error)} />}
      {data?.parent_id && (
        <div className="stack">
          <p className="dim versions-says">
            beside{" "}
            <Link to="/datasets/$datasetId" params={{ datasetId: data.parent_id }}>
              the dataset that this one was derived from
            </Link>
          </p>
          {data.transitions.length > 0 && (
            <table className="table number">
              <thead>
                <tr>
                  <th scope="col">Before</th>
                  <th scope="col">Now</th>
                  <th scope="col">Samples</th>
                </tr>
              </thead>
              <tbody>
                {data.transitions.slice(0, SHOWN).map(({ before, after, samples }) => (
                  <tr key={`${before} ${after}`}>
                    <td>{dataset.classes[before]}</td>
                    <td>{dataset.classes[after]}</td>
                    <td>{count(samples)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
          {data.transitions.length > SHOWN && (
            <p className="dim versions-says">The {SHOWN} commonest changes.</p>
          )}
          {data.changed > 0 && gallery.possible && (
            <Button
              size="xs"
              variant="default"
              loading={gallery.pending}
              onClick={() => gallery.open(Uint32Array.from(data.indices))}
            >
              {data.changed > data.indices.length
                ? `Look at the first ${count(data.indices.length)}`
                : "Look at them"}
            </Button>
          )}
        </div>
      )}
    </Card>
  );
}
