/** Sends a table with the labels of several annotators; whatever was sent before is replaced. */
import { IconUsers } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";

import { answer, client, type Dataset } from "@/api/client";
import { annotations as annotationsQuery } from "@/api/own";
import { Dialog, type DialogProps } from "@/parts/Dialog";
import { FileForm } from "@/parts/FileForm";
import { useSentFile } from "@/parts/useSentFile";

export function SendAnnotations({ dataset, opened, onClose }: DialogProps & { dataset: Dataset }) {
  const queries = useQueryClient();
  const sent = useSentFile({
    send: (upload_id) =>
      answer(
        client.POST("/api/datasets/{dataset_id}/annotations", {
          params: { path: { dataset_id: dataset.id } },
          body: { upload_id },
        }),
      ),
    onSuccess: (said) => {
      queries.setQueryData(annotationsQuery(dataset.id).queryKey, said);
      void queries.invalidateQueries({ queryKey: ["sample"] });
      onClose();
    },
  });
  return (
    <Dialog opened={opened} onClose={onClose} title="Labels of several annotators" size="lg">
      <div className="stack">
        <p className="dim dialog-text">
          They stand beside the audit: how many agree on each sample, and a consensus in which each annotator
          weighs as much as they prove reliable. Given labels stay as they are.
        </p>
        <FileForm
          sent={sent}
          label="File of annotators' labels"
          says="CSV, JSON Lines or Parquet with a column index or name, and a column of labels for each annotator"
          action="Add these labels"
          leftSection={<IconUsers size={16} />}
        />
      </div>
    </Dialog>
  );
}
