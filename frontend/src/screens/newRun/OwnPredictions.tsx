/** A file of predictions instead of a training: uploaded, then judged. */
import { Button, Checkbox, Progress, Radio } from "@mantine/core";
import { IconPlayerPlay } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { answer, client, problemOf, type Dataset } from "@/api/client";
import { uploaded } from "@/api/uploads";
import { FilePick } from "@/parts/FilePick";
import { many } from "@/parts/format";
import { ProblemNote } from "@/parts/States";

const SHOWN_CLASSES = 4;

export function OwnPredictions({ dataset }: { dataset: Dataset }) {
  const [file, setFile] = useState<File | null>(null);
  const [inSample, setInSample] = useState("no");
  const [logits, setLogits] = useState(false);
  const [share, setShare] = useState(0);
  const queries = useQueryClient();
  const navigate = useNavigate();
  const judge = useMutation({
    mutationFn: async (of: File) =>
      answer(
        client.POST("/api/datasets/{dataset_id}/predictions", {
          params: { path: { dataset_id: dataset.id } },
          body: { upload_id: await uploaded(of, setShare), in_sample: inSample === "yes", logits },
        }),
      ),
    onSuccess: async (made) => {
      void queries.invalidateQueries({ queryKey: ["runs"] });
      await navigate({ to: "/runs/$runId", params: { runId: made.id } });
    },
  });
  const first = dataset.classes.slice(0, SHOWN_CLASSES).join(", ");
  return (
    <div className="stack">
      <FilePick
        label="File of predictions"
        accept=".npy,.npz,.csv,.tsv,.parquet"
        file={file}
        onFile={(chosen) => {
          setFile(chosen);
          judge.reset();
        }}
      >
        npy, npz, CSV or Parquet: {many(dataset.sample_count, "row")} in the order of the samples or with a
        column index or name, and a column for each class ({first}
        {dataset.classes.length > SHOWN_CLASSES && ", …"})
      </FilePick>
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
      {judge.isError && <ProblemNote problem={problemOf(judge.error)} />}
      {judge.isPending && share < 1 && <Progress value={share * 100} size="sm" aria-label="Upload" />}
      <div className="start">
        <Button
          size="md"
          leftSection={<IconPlayerPlay size={18} />}
          disabled={!file || dataset.status !== "ready"}
          loading={judge.isPending}
          onClick={() => file && judge.mutate(file)}
        >
          Start the audit
        </Button>
        <span className="dim">
          Nothing is trained: judging takes seconds, drawing the map may take longer.
        </span>
      </div>
    </div>
  );
}
