/** Makes a version of a dataset: the same images under the labels of a table. */
import { Checkbox, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { answer, client, type Dataset } from "@/api/client";
import { datasets } from "@/api/queries";
import { Dialog, type DialogProps } from "@/parts/Dialog";
import { FileForm } from "@/parts/FileForm";
import { useSentFile } from "@/parts/useSentFile";

import { CarryDecisions } from "./CarryDecisions";

export function NewLabels({ dataset, opened, onClose }: DialogProps & { dataset: Dataset }) {
  const [name, setName] = useState("");
  const [newClasses, setNewClasses] = useState(false);
  const [carry, setCarry] = useState(true);
  const queries = useQueryClient();
  const navigate = useNavigate();
  const sent = useSentFile({
    send: (upload_id) =>
      answer(
        client.POST("/api/datasets/{dataset_id}/labels", {
          params: { path: { dataset_id: dataset.id } },
          body: {
            upload_id,
            name: name.trim() === "" ? null : name.trim(),
            new_classes: newClasses,
            carry_decisions: carry,
          },
        }),
      ),
    onSuccess: async (made) => {
      onClose();
      void queries.invalidateQueries({ queryKey: datasets.queryKey });
      await navigate({ to: "/datasets/$datasetId", params: { datasetId: made.id } });
    },
  });
  return (
    <Dialog opened={opened} onClose={onClose} title="New labels for these images" size="lg">
      <div className="stack">
        <p className="dim dialog-text">
          A version of this dataset under other labels, which can be audited anew. This one stays as it is.
        </p>
        <FileForm
          sent={sent}
          label="File of labels"
          says="CSV, JSON Lines or Parquet with a column index or name, and label; samples without a row keep theirs"
          action="Make the version"
        >
          <TextInput
            label="Name"
            placeholder={`${dataset.name}, new labels`}
            maxLength={200}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Checkbox
            label="Labels that are no class yet become classes"
            description="Otherwise the table is refused where it names one"
            checked={newClasses}
            onChange={(event) => setNewClasses(event.currentTarget.checked)}
          />
          <CarryDecisions checked={carry} onChange={setCarry} />
        </FileForm>
      </div>
    </Dialog>
  );
}
