/** Takes one file, dropped or chosen, and shows which it is. */
import { Button } from "@mantine/core";
import { IconFile, IconUpload } from "@tabler/icons-react";
import type { ReactNode } from "react";

import { ChooseFiles } from "./ChooseFiles";
import { bytes } from "./format";
import { useDrop } from "./useDrop";
import "./filepick.css";

interface Props {
  /** What the file holds, for people who hear the page. */
  label: string;
  /** Endings, as in the attribute accept. */
  accept: string;
  file: File | null;
  onFile: (file: File) => void;
  onClear?: () => void;
  children: ReactNode;
}

export function FilePick({ label, accept, file, onFile, onClear, children }: Props) {
  const take = ([first]: ArrayLike<File> & Iterable<File>) => first && onFile(first);
  const drop = useDrop(({ files }) => take(files));
  const Shape = file ? IconFile : IconUpload;
  return (
    <div className="pick" {...drop}>
      <Shape size={20} stroke={1.6} aria-hidden className="pick-icon" />
      <div className="pick-text">
        {file ? (
          <>
            <strong>{file.name}</strong> <span className="dim number">{bytes(file.size)}</span>
          </>
        ) : (
          <span className="dim">{children}</span>
        )}
      </div>
      <ChooseFiles label={label} accept={accept} size="xs" onFiles={take}>
        {file ? "Choose another" : "Choose a file"}
      </ChooseFiles>
      {file && onClear && (
        <Button variant="subtle" color="gray" size="xs" onClick={onClear}>
          Leave out
        </Button>
      )}
    </div>
  );
}
