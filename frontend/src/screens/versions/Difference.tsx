/** What a version is beside the dataset it was derived from: other labels, further samples, decisions taken along. */
import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { useMay } from "@/accounts/useMay";
import { answer, client, problemOf, type Dataset } from "@/api/client";
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
  const button = { size: "xs", variant: "default", loading: gallery.pending } as const;
  return (
    <Card
      title="Difference"
      aside={
        data?.parent_id && (
          <>
            to{" "}
            <Link
              to="/datasets/$datasetId"
              params={{ datasetId: data.parent_id }}
              className="dataset-compare"
            >
              the dataset it was derived from
            </Link>
          </>
        )
      }
    >
      {found.isPending && <Loading rows={1} />}
      {(found.error ?? gallery.error) && <ProblemNote problem={problemOf(found.error ?? gallery.error)} />}
      {data?.parent_id && (
        <div className="stack">
          <ul className="lines">
            <li>{many(data.changed, "sample has another label", "samples have another label")}</li>
            {data.added > 0 && <li>{many(data.added, "sample was added", "samples were added")}</li>}
            {data.new_classes.length > 0 && (
              <li>
                {many(data.new_classes.length, "new class", "new classes")}: {data.new_classes.join(", ")}
              </li>
            )}
            {data.carried + data.left_out > 0 && (
              <li>
                {many(data.carried, "decision was taken along", "decisions were taken along")}
                {data.left_out > 0 && `; ${count(data.left_out)} not, for their labels are others here`}
              </li>
            )}
          </ul>
          {data.transitions.length > 0 && (
            <table className="table number">
              <caption className="visually-hidden">The commonest changes</caption>
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
          <div className="versions-acts">
            {data.changed > 0 && gallery.possible && (
              <Button {...button} onClick={() => gallery.open(Uint32Array.from(data.indices))}>
                {data.changed > data.indices.length
                  ? `Look at the first ${count(data.indices.length)} changed`
                  : "Look at the changed"}
              </Button>
            )}
            {data.added > 0 && gallery.possible && (
              <Button {...button} onClick={() => gallery.open(lastOf(dataset.sample_count, data.added))}>
                Look at the added
              </Button>
            )}
            {data.carried > 0 && <TakeBack datasetId={dataset.id} />}
          </div>
        </div>
      )}
    </Card>
  );
}

/** The added samples are the last ones. */
const lastOf = (samples: number, added: number) =>
  Uint32Array.from({ length: Math.min(added, MOST) }, (_, n) => samples - added + n);

function TakeBack({ datasetId }: { datasetId: string }) {
  const queries = useQueryClient();
  const may = useMay(datasetId)("decide");
  const take = useMutation({
    mutationFn: () =>
      answer(
        client.DELETE("/api/datasets/{dataset_id}/decisions/carried", {
          params: { path: { dataset_id: datasetId } },
        }),
      ),
    onSuccess: ({ recorded }) => {
      void queries.invalidateQueries();
      notifications.show({
        message:
          recorded === 0 ? "None of them stands any more." : `Took back ${many(recorded, "decision")}.`,
      });
    },
  });
  if (!may) return null;
  return (
    <>
      <Button size="xs" variant="default" loading={take.isPending} onClick={() => take.mutate()}>
        Take the decisions back
      </Button>
      {take.isError && <ProblemNote problem={problemOf(take.error)} />}
    </>
  );
}
