/** One delivery from its upload to its import: bytes on their way, a look, what was seen, a dataset. */
import { Button, Loader } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { answer, client, problemOf, type Dataset } from "@/api/client";
import type { Delivery, Into, Wish } from "@/api/preflights";
import { datasets } from "@/api/queries";
import type { FileUpload } from "@/api/uploads";
import { Card } from "@/parts/Page";
import { ProblemNote } from "@/parts/States";

import { Summary, type Choice } from "./Summary";
import { UploadProgress } from "./UploadProgress";
import { usePreflight } from "./usePreflight";

/** Of a dataset's name. */
const MOST_LETTERS = 200;

interface Props {
  name: string;
  into: Into;
  /** None for a folder on the server. */
  upload: FileUpload | null;
  /** Null until the upload is complete. */
  delivery: Delivery | null;
  onDiscard: () => void;
  onImported: (dataset: Dataset) => void;
}

export function Delivered({ name, into, upload, delivery, onDiscard, onImported }: Props) {
  const [wish, setWish] = useState<Wish>({ format: "auto", columns: {} });
  const { report, problem, message } = usePreflight(delivery, wish, into !== null);
  const create = useCreate(into, onImported);

  function discard() {
    void upload?.discard();
    onDiscard();
  }
  if (!delivery)
    return upload ? <UploadProgress upload={upload} onDiscard={onDiscard} preparing={false} /> : null;
  if (create.data)
    return (
      <Card title={name} aside="importing">
        <Link to="/datasets/$datasetId" params={{ datasetId: create.data.id }}>
          Open the dataset
        </Link>
      </Card>
    );
  return (
    <Card title={name} aside={report ? "before the import" : undefined}>
      {problem ? (
        <ProblemNote
          problem={problem}
          action={
            <div className="preflight-actions">
              {(wish.format !== "auto" || Object.keys(wish.columns).length > 0) && (
                <Button variant="default" onClick={() => setWish({ format: "auto", columns: {} })}>
                  Recognise it again
                </Button>
              )}
              <Button variant="default" onClick={discard}>
                Start over
              </Button>
            </div>
          }
        />
      ) : report ? (
        <>
          {create.isError && <ProblemNote problem={problemOf(create.error)} />}
          <Summary
            key={into?.id}
            name={into ? `${into.name} and ${name}`.slice(-MOST_LETTERS) : name}
            into={into}
            report={report}
            wish={wish}
            onWish={setWish}
            onCancel={discard}
            importing={create.isPending}
            onImport={(choice) => create.mutate({ ...delivery, ...wish, ...choice })}
          />
        </>
      ) : (
        <div className="preflight-looking" role="status">
          <Loader size="xs" />
          <span>{message}…</span>
          <Button size="xs" variant="subtle" color="gray" onClick={discard}>
            Cancel
          </Button>
        </div>
      )}
    </Card>
  );
}

function useCreate(into: Into, onImported: (dataset: Dataset) => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ appending, ...body }: Delivery & Wish & Choice) =>
      answer(
        into
          ? client.POST("/api/datasets/{dataset_id}/append", {
              params: { path: { dataset_id: into.id } },
              body: { ...body, ...appending },
            })
          : client.POST("/api/datasets", { body }),
      ),
    onSuccess: (made) => {
      void queries.invalidateQueries({ queryKey: datasets.queryKey });
      onImported(made);
    },
  });
}
