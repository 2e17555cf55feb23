/** What several annotators say of a dataset: who gave how many labels, how far they agree, where they contradict. */
import { Button } from "@mantine/core";
import { IconUsers } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { answer, client, problemOf, type Dataset } from "@/api/client";
import { annotations as annotationsQuery, indicesAt, useOpenInGallery, type Annotations } from "@/api/own";
import { uploaded } from "@/api/uploads";
import { FilePick } from "@/parts/FilePick";
import { count, many, percent } from "@/parts/format";
import { Card } from "@/parts/Page";
import { Loading, ProblemNote } from "@/parts/States";

import "./annotators.css";

export function AnnotatorsCard({ dataset }: { dataset: Dataset }) {
  const said = useQuery(annotationsQuery(dataset.id));
  const some = (said.data?.annotators.length ?? 0) > 0;
  return (
    <Card title="Annotators" aside={some && said.data && many(said.data.annotators.length, "annotator")}>
      <div className="annotators">
        {said.isPending && <Loading rows={1} />}
        {said.isError && <ProblemNote problem={problemOf(said.error)} />}
        {said.data && some && <Said dataset={dataset} said={said.data} />}
        {said.data && (
          <details className="options" open={some ? undefined : true}>
            <summary>{some ? "Send other labels" : "Labels of several annotators"}</summary>
            <SendLabels dataset={dataset} />
          </details>
        )}
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

function SendLabels({ dataset }: { dataset: Dataset }) {
  const [file, setFile] = useState<File | null>(null);
  const queries = useQueryClient();
  const send = useMutation({
    mutationFn: async (of: File) =>
      answer(
        client.POST("/api/datasets/{dataset_id}/annotations", {
          params: { path: { dataset_id: dataset.id } },
          body: { upload_id: await uploaded(of) },
        }),
      ),
    onSuccess: (said) => {
      queries.setQueryData(annotationsQuery(dataset.id).queryKey, said);
      void queries.invalidateQueries({ queryKey: ["sample"] });
      setFile(null);
    },
  });
  return (
    <div className="annotators">
      <FilePick
        label="File of annotators' labels"
        accept=".csv,.tsv,.parquet"
        file={file}
        onFile={(chosen) => {
          setFile(chosen);
          send.reset();
        }}
      >
        CSV or Parquet with a column index or name, and a column of labels for each annotator. Who labelled
        how well is estimated from where they agree; given labels stay as they are.
      </FilePick>
      {send.isError && <ProblemNote problem={problemOf(send.error)} />}
      {file && (
        <Button
          size="xs"
          className="annotators-open"
          leftSection={<IconUsers size={14} />}
          loading={send.isPending}
          onClick={() => send.mutate(file)}
        >
          Add these labels
        </Button>
      )}
    </div>
  );
}
