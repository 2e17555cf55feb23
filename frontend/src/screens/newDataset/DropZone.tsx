/** Takes a dropped or chosen file or folder. */
import { Button, Loader } from "@mantine/core";
import { IconFileZip, IconFolder, IconUpload } from "@tabler/icons-react";
import { useRef, useState } from "react";

import { readFiles, readPicked, type Picked } from "@/api/folders";

interface Props {
  /** Name of the folder that is being packed, if one is. */
  packing: string | null;
  /** Others are on their way already; there is room for more. */
  small: boolean;
  onPicked: (picked: Picked[]) => void;
  readDrop: (transfer: DataTransfer) => Promise<Picked[]>;
}

export function DropZone({ packing, small, onPicked, readDrop }: Props) {
  const [over, setOver] = useState(false);
  const file = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  if (packing !== null) {
    return (
      <div className="drop" role="status">
        <Loader size="sm" />
        <strong>Packing {packing}…</strong>
        <span className="dim">The folder travels as one zip, so that the upload can resume.</span>
      </div>
    );
  }
  return (
    <div
      className="drop"
      data-over={over || undefined}
      data-small={small || undefined}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        void readDrop(event.dataTransfer).then(onPicked);
      }}
    >
      {small ? (
        <span className="dim">Drop another archive or folder here</span>
      ) : (
        <>
          <span className="drop-icon">
            <IconUpload size={22} stroke={1.6} />
          </span>
          <strong>Drop archives or a folder here</strong>
          <span className="dim">
            images/cat/001.jpg, images/dog/002.png, … or images with a table: what it is shows before anything
            is kept
          </span>
        </>
      )}
      <div className="drop-actions">
        <Button
          variant="default"
          leftSection={<IconFileZip size={16} />}
          onClick={() => file.current?.click()}
        >
          Choose files
        </Button>
        <Button
          variant="default"
          leftSection={<IconFolder size={16} />}
          onClick={() => folder.current?.click()}
        >
          Choose a folder
        </Button>
      </div>
      <input
        ref={file}
        type="file"
        hidden
        multiple
        accept=".zip,.tar,.gz,.tgz,.npz,.npy,.parquet"
        data-testid="file"
        aria-label="Dataset file"
        onChange={(event) => {
          onPicked(readFiles([...(event.currentTarget.files ?? [])]));
          event.currentTarget.value = "";
        }}
      />
      <input
        ref={folder}
        type="file"
        hidden
        webkitdirectory=""
        aria-label="Dataset folder"
        onChange={(event) => {
          const picked = event.currentTarget.files && readPicked(event.currentTarget.files);
          if (picked) onPicked([picked]);
          event.currentTarget.value = "";
        }}
      />
    </div>
  );
}
