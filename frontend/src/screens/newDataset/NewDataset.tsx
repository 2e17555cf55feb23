/** From files, folders or a folder on the server to datasets: delivered, looked at, then imported. */
import { SegmentedControl, Select } from "@mantine/core";
import { IconEye } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";

import { useMayBringData } from "@/accounts/useMay";
import type { Dataset } from "@/api/client";
import { readDrop, type Picked } from "@/api/folders";
import type { Delivery } from "@/api/preflights";
import { datasets } from "@/api/queries";
import { FileUpload, zipOf } from "@/api/uploads";
import { Page } from "@/parts/Page";
import { EmptyState } from "@/parts/States";

import { Delivered } from "./Delivered";
import { DropZone } from "./DropZone";
import { ServerFolder } from "./ServerFolder";
import "./newdataset.css";

const ENDINGS = /\.(zip|parquet|tar|tgz|tar\.gz|npz)$/i;

interface Item {
  key: number;
  name: string;
  upload: FileUpload | null;
  delivery: Delivery | null;
}

/** No dataset's id. */
const NEW = "new";

let keys = 0;

export function NewDataset() {
  const { from, into: intoId } = useSearch({ from: "/datasets/new" });
  const known = useQuery(datasets).data?.items ?? [];
  const into = known.find(({ id, status }) => id === intoId && status === "ready") ?? null;
  const navigate = useNavigate({ from: "/datasets/new" });
  const source = from ?? "upload";
  const mayBring = useMayBringData();
  const [items, setItems] = useState<Item[]>([]);
  const [packing, setPacking] = useState<string | null>(null);

  const add = (item: Omit<Item, "key">) => {
    const key = (keys += 1);
    setItems((before) => [...before, { ...item, key }]);
    return key;
  };
  const change = (key: number, part: Partial<Item>) =>
    setItems((before) => before.map((item) => (item.key === key ? { ...item, ...part } : item)));
  const remove = (key: number) => setItems((before) => before.filter((item) => item.key !== key));

  async function begin(picked: Picked) {
    let file = picked.files[0]?.file;
    if (picked.isFolder) {
      setPacking(picked.name);
      file = await zipOf(picked.name, picked.files);
      setPacking(null);
    }
    if (!file) return;
    const upload: FileUpload = new FileUpload(file, (delivery) => change(key, { delivery }));
    const name = picked.name.replace(ENDINGS, "").slice(0, 200);
    const key = add({ name, upload, delivery: null });
    await upload.start();
  }
  async function beginAll(picked: Picked[]) {
    // Folders are packed one after the other: each passes through the browser's memory.
    for (const one of picked) await begin(one);
  }

  async function imported(dataset: Dataset) {
    if (items.length === 1) await navigate({ to: "/datasets/$datasetId", params: { datasetId: dataset.id } });
  }

  if (!mayBring) {
    return (
      <EmptyState icon={<IconEye size={22} stroke={1.6} />} title="You can look, not bring data in">
        An admin gives accounts their roles. Datasets that are shared with you are at home.
      </EmptyState>
    );
  }
  return (
    <Page
      title={into ? "Add images" : "New dataset"}
      width="narrow"
      sub="Labelled images: class folders, a table beside images, Parquet, WebDataset, CIFAR, IDX, npz or COCO."
    >
      <div className="stack">
        {known.length > 0 && (
          <Select
            label="Import into"
            description={
              into
                ? "Makes a version of it, with these images behind its own; the dataset itself stays as it is."
                : undefined
            }
            inputWrapperOrder={["label", "input", "description"]}
            searchable
            allowDeselect={false}
            data={[
              { value: NEW, label: "A new dataset" },
              {
                group: "Add to",
                items: known
                  .filter(({ status }) => status === "ready")
                  .map(({ id, name }) => ({ value: id, label: name })),
              },
            ]}
            value={into?.id ?? NEW}
            onChange={(value) =>
              void navigate({
                search: (now) => ({ ...now, into: value === NEW ? undefined : (value ?? undefined) }),
                replace: true,
              })
            }
          />
        )}
        <SegmentedControl
          value={source}
          onChange={(value) =>
            void navigate({
              search: (now) => ({ ...now, from: value === "server" ? "server" : undefined }),
              replace: true,
            })
          }
          data={[
            { value: "upload", label: "From this computer" },
            { value: "server", label: "A folder on the server" },
          ]}
        />
        {items.map((item) => (
          <Delivered
            key={item.key}
            name={item.name}
            into={into}
            upload={item.upload}
            delivery={item.delivery}
            onDiscard={() => remove(item.key)}
            onImported={(dataset) => void imported(dataset)}
          />
        ))}
        {source === "server" ? (
          <ServerFolder
            onChosen={(server_folder) =>
              add({
                name: server_folder.replace(/\/+$/, "").split("/").at(-1)?.replace(ENDINGS, "") ?? "dataset",
                upload: null,
                delivery: { server_folder },
              })
            }
          />
        ) : (
          <DropZone
            packing={packing}
            small={items.length > 0}
            onPicked={(picked) => void beginAll(picked)}
            readDrop={readDrop}
          />
        )}
      </div>
    </Page>
  );
}
