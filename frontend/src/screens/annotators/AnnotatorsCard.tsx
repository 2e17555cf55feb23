/** What several annotators say of a dataset: who gave how many labels, how far they agree, where they contradict. */
import { Button } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";

import { problemOf, type Dataset } from "@/api/client";
import { annotations as annotationsQuery, indicesAt, useOpenInGallery, type Annotations } from "@/api/own";
import { count, many, percent } from "@/parts/format";
import { Card } from "@/parts/Page";
import { ProblemNote } from "@/parts/States";

import "./annotators.css";

export function AnnotatorsCard({ dataset }: { dataset: Dataset }) {
  const said = useQuery(annotationsQuery(dataset.id));
  if (said.isError) {
    return (
      <Card title="Annotators">
        <ProblemNote problem={problemOf(said.error)} />
      </Card>
    );
  }
  // Most datasets have none; how to add some stands in the dataset's menu.
  if (!said.data || said.data.annotators.length === 0) return null;
  return (
    <Card title="Annotators" aside={many(said.data.annotators.length, "annotator")}>
      <div className="annotators">
        <Said dataset={dataset} said={said.data} />
      </div>
    </Card>
  );
}

function Said({ dataset, said }: { dataset: Dataset; said: Annotations }) {
  const gallery = useOpenInGallery(dataset.id);
  const open = useMutation({
    mutationFn: () => indicesAt(`/api/datasets/${dataset.id}/annotations/differing`),
    onSuccess: (indices) => gallery.open(indices),
  });
  return (
    <>
      <p className="annotators-sum">
        <b>{count(said.unanimous)}</b> of {many(said.annotated, "annotated sample")} are unanimous. The
        consensus differs from the given label of <b>{count(said.differing)}</b>.
      </p>
      <table className="table number">
        <thead>
          <tr>
            <th scope="col">Annotator</th>
            <th scope="col">Labels</th>
            <th scope="col">Probably right</th>
          </tr>
        </thead>
        <tbody>
          {said.annotators.map(({ name, labels, accuracy }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{count(labels)}</td>
              <td>{accuracy === null ? "–" : percent(accuracy)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {said.differing > 0 && gallery.possible && (
        <Button
          variant="default"
          size="xs"
          className="annotators-open"
          loading={open.isPending || gallery.pending}
          onClick={() => open.mutate()}
        >
          Review the {many(said.differing, "difference")}
        </Button>
      )}
      {(open.error ?? gallery.error) && <ProblemNote problem={problemOf(open.error ?? gallery.error)} />}
    </>
  );
}
