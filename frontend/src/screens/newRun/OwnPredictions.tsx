/** A file of predictions instead of a training: uploaded, then judged. */
import { Checkbox, Radio } from "@mantine/core";
import { IconPlayerPlay } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { answer, client, type Dataset } from "@/api/client";
import { FileForm } from "@/parts/FileForm";
import { many } from "@/parts/format";
import { useSentFile } from "@/parts/useSentFile";

const SHOWN_CLASSES = 4;

export function OwnPredictions({ dataset }: { dataset: Dataset }) {
  const [inSample, setInSample] = useState("no");
  const [logits, setLogits] = useState(false);
  const queries = useQueryClient();
  const navigate = useNavigate();
  const sent = useSentFile({
    send: (upload_id) =>
      answer(
        client.POST("/api/datasets/{dataset_id}/predictions", {
          params: { path: { dataset_id: dataset.id } },
          body: { upload_id, in_sample: inSample === "yes", logits },
        }),
      ),
    onSuccess: async (made) => {
      void queries.invalidateQueries({ queryKey: ["runs"] });
      await navigate({ to: "/runs/$runId", params: { runId: made.id } });
    },
  });
  const first = dataset.classes.slice(0, SHOWN_CLASSES).join(", ");
  return (
    <FileForm
      sent={sent}
      label="File of predictions"
      accept=".npy,.npz,.csv,.tsv,.jsonl,.parquet"
      says={
        <>
          npy, npz, CSV, JSON Lines or Parquet: {many(dataset.sample_count, "row")} in the order of the
          samples or with a column index or name, and a column for each class ({first}
          {dataset.classes.length > SHOWN_CLASSES && ", …"})
        </>
      }
      action="Start the audit"
      aside="Nothing is trained: judging takes seconds, drawing the map may take longer."
      size="md"
      leftSection={<IconPlayerPlay size={18} />}
      disabled={dataset.status !== "ready"}
    >
      <Radio.Group
        label="Has the network that predicts been trained on these samples?"
        value={inSample}
        onChange={setInSample}
      >
        <div className="predictions-choices">
          <Radio
            value="no"
            label="No: each prediction is out of fold"
            description="From cross-validation, or from a network trained on other data. Finds the most."
          />
          <Radio
            value="yes"
            label="Yes, with these labels"
            description="Such a network leans towards the labels it was shown, the wrong ones too; they are judged more carefully."
          />
        </div>
      </Radio.Group>
      <Checkbox
        label="The values are logits"
        description="Then their softmax is taken; otherwise each row must sum to 1"
        checked={logits}
        onChange={(event) => setLogits(event.currentTarget.checked)}
      />
    </FileForm>
  );
}
