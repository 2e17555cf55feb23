/** From a file, a folder or a folder on the server to a dataset that is being imported. */
import { Button, SegmentedControl, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";

import { answer, client, problemOf, type Schemas } from "@/api/client";
import { readDrop, type Picked } from "@/api/folders";
import { datasets } from "@/api/queries";
import { FileUpload, zipOf } from "@/api/uploads";
import { Card, Page } from "@/parts/Page";
import { ProblemNote } from "@/parts/States";

import { DropZone } from "./DropZone";
import { ImportOptions, NO_OPTIONS, type Options } from "./ImportOptions";
import { UploadProgress } from "./UploadProgress";
import "./newdataset.css";

type DatasetCreate = Schemas["DatasetCreate"];

export function NewDataset() {
  const { from } = useSearch({ from: "/datasets/new" });
  const navigate = useNavigate({ from: "/datasets/new" });
  const source = from ?? "upload";
  const [options, setOptions] = useState<Options>(NO_OPTIONS);
  const [upload, setUpload] = useState<FileUpload | null>(null);
  const [packing, setPacking] = useState<string | null>(null);
  const create = useCreate();

  async function begin(picked: Picked) {
    const name = picked.name.replace(/\.(zip|parquet|tar|tgz|tar\.gz)$/i, "");
    let file = picked.files[0]?.file;
    if (picked.isFolder) {
      setPacking(picked.name);
      file = await zipOf(picked.name, picked.files);
      setPacking(null);
    }
    if (!file) return;
    const started = new FileUpload(file, (upload_id) =>
      create.mutate({ ...bodyOf(options), name: options.name || name.slice(0, 200), upload_id }),
    );
    setUpload(started);
    await started.start();
  }

  return (
    <Page
      title="New dataset"
      width="narrow"
      sub="Labelled images: one folder per class, or Parquet with images and labels."
    >
      <div className="stack">
        {!upload && (
          <SegmentedControl
            value={source}
            onChange={(value) =>
              void navigate({ search: value === "server" ? { from: "server" } : {}, replace: true })
            }
            data={[
              { value: "upload", label: "From this computer" },
              { value: "server", label: "A folder on the server" },
            ]}
          />
        )}
        {create.isError && (
          <ProblemNote
            problem={problemOf(create.error)}
            action={
              upload && (
                <Button variant="default" onClick={() => setUpload(null)}>
                  Start over
                </Button>
              )
            }
          />
        )}
        {upload ? (
          <UploadProgress upload={upload} onDiscard={() => setUpload(null)} preparing={create.isPending} />
        ) : source === "server" ? (
          <ServerFolder
            pending={create.isPending}
            onSubmit={(server_folder) =>
              create.mutate({ ...bodyOf(options), name: options.name || null, server_folder })
            }
          />
        ) : (
          <DropZone packing={packing} onPicked={(picked) => void begin(picked)} readDrop={readDrop} />
        )}
        {!upload && <ImportOptions value={options} onChange={setOptions} />}
      </div>
    </Page>
  );
}

function useCreate() {
  const queries = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: (body: DatasetCreate) => answer(client.POST("/api/datasets", { body })),
    onSuccess: async (made) => {
      void queries.invalidateQueries({ queryKey: datasets.queryKey });
      await navigate({ to: "/datasets/$datasetId", params: { datasetId: made.id } });
    },
  });
}

function bodyOf({ format, split, limit, allOrNothing }: Options): DatasetCreate {
  return { format, split, limit, all_or_nothing: allOrNothing };
}

function ServerFolder({ onSubmit, pending }: { onSubmit: (folder: string) => void; pending: boolean }) {
  const [folder, setFolder] = useState("");
  return (
    <Card>
      <form
        className="server-folder"
        onSubmit={(event) => {
          event.preventDefault();
          onSubmit(folder.trim());
        }}
      >
        <TextInput
          label="Folder"
          description="As the server sees it. It must lie in one of the folders that the installation allows."
          placeholder="/data/images"
          value={folder}
          onChange={(event) => setFolder(event.currentTarget.value)}
          spellCheck={false}
        />
        <Button type="submit" disabled={!folder.trim()} loading={pending}>
          Import
        </Button>
      </form>
    </Card>
  );
}
