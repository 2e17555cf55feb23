/** Takes a dropped or chosen file or folder. */
import { Loader } from "@mantine/core";
import { IconFileZip, IconFolder, IconUpload } from "@tabler/icons-react";

import { readFiles, readPicked, type Picked } from "@/api/folders";
import { ChooseFiles } from "@/parts/ChooseFiles";
import { useDrop } from "@/parts/useDrop";

interface Props {
  /** Name of the folder that is being packed, if one is. */
  packing: string | null;
  /** Others are on their way already; there is room for more. */
  small: boolean;
  onPicked: (picked: Picked[]) => void;
  readDrop: (transfer: DataTransfer) => Promise<Picked[]>;
}

export function DropZone({ packing, small, onPicked, readDrop }: Props) {
  const drop = useDrop((dropped) => void readDrop(dropped).then(onPicked));
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
    <div className="drop" data-small={small || undefined} {...drop}>
      {small ? (
        <span className="dim">Drop another archive or folder here</span>
      ) : (
        <>
          <span className="drop-icon">
            <IconUpload size={22} stroke={1.6} />
          </span>
          <strong>Drop archives or a folder here</strong>
          <span className="dim">
            images/cat/001.jpg, images/dog/002.png, … or images with a table. You see what it is before
            anything is kept.
          </span>
        </>
      )}
      <div className="drop-actions">
        <ChooseFiles
          label="Dataset file"
          accept=".zip,.tar,.gz,.tgz,.npz,.npy,.parquet"
          multiple
          leftSection={<IconFileZip size={16} />}
          onFiles={(files) => onPicked(readFiles(files))}
        >
          Choose files
        </ChooseFiles>
        <ChooseFiles
          label="Dataset folder"
          folder
          multiple
          leftSection={<IconFolder size={16} />}
          onFiles={(files) => {
            const picked = readPicked(files);
            if (picked) onPicked([picked]);
          }}
        >
          Choose a folder
        </ChooseFiles>
      </div>
    </div>
  );
}
