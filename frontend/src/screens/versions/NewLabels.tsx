/** Makes a version of a dataset: the same images under the labels of a table. */
import { Button, Modal, TextInput } from "@mantine/core";
import { IconTags } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { answer, client, problemOf, type Dataset } from "@/api/client";
import { datasets } from "@/api/queries";
import { uploaded } from "@/api/uploads";
import { useKeysOff } from "@/keys/useKeys";
import { FilePick } from "@/parts/FilePick";
import { ProblemNote } from "@/parts/States";

export function NewLabels({ dataset }: { dataset: Dataset }) {
  const [opened, setOpened] = useState(false);
  useKeysOff(opened);
  const [file, setFile] = useState<File | null>(null);
  const [name, setName] = useState("");
  const queries = useQueryClient();
  const navigate = useNavigate();
  const make = useMutation({
    mutationFn: async (of: File) =>
      answer(
        client.POST("/api/datasets/{dataset_id}/labels", {
          params: { path: { dataset_id: dataset.id } },
          body: { upload_id: await uploaded(of), name: name.trim() === "" ? null : name.trim() },
        }),
      ),
    onSuccess: async (made) => {
      setOpened(false);
      void queries.invalidateQueries({ queryKey: datasets.queryKey });
      await navigate({ to: "/datasets/$datasetId", params: { datasetId: made.id } });
    },
  });
  return (
    <>
      <Button variant="default" leftSection={<IconTags size={16} />} onClick={() => setOpened(true)}>
        New labels
      </Button>
      <Modal opened={opened} onClose={() => setOpened(false)} title="New labels for these images">
        <div className="stack">
          <p className="dim versions-says">
            A version of this dataset under other labels, which can be audited anew. This one stays as it is.
          </p>
          <FilePick
            label="File of labels"
            accept=".csv,.tsv,.parquet"
            file={file}
            onFile={(chosen) => {
              setFile(chosen);
              make.reset();
            }}
          >
            CSV or Parquet with a column index or name, and label; samples without a row keep theirs
          </FilePick>
          <TextInput
            label="Name"
            placeholder={`${dataset.name}, new labels`}
            maxLength={200}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          {make.isError && <ProblemNote problem={problemOf(make.error)} />}
          <Button disabled={!file} loading={make.isPending} onClick={() => file && make.mutate(file)}>
            Make the version
          </Button>
        </div>
      </Modal>
    </>
  );
}
