/** Takes one file, dropped or chosen, and shows which it is. */
import { Button } from "@mantine/core";
import { IconFile, IconUpload } from "@tabler/icons-react";
import { useRef, useState, type ReactNode } from "react";

import { bytes } from "./format";
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
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const Shape = file ? IconFile : IconUpload;
  return (
    <div
      className="pick"
      data-over={over || undefined}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        const [dropped] = event.dataTransfer.files;
        if (dropped) onFile(dropped);
      }}
    >
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
      <Button variant="default" size="xs" onClick={() => input.current?.click()}>
        {file ? "Choose another" : "Choose a file"}
      </Button>
      {file && onClear && (
        <Button variant="subtle" color="gray" size="xs" onClick={onClear}>
          Leave out
        </Button>
      )}
      <input
        ref={input}
        type="file"
        hidden
        accept={accept}
        aria-label={label}
        onChange={(event) => {
          const [chosen] = event.currentTarget.files ?? [];
          if (chosen) onFile(chosen);
          event.currentTarget.value = "";
        }}
      />
    </div>
  );
}
