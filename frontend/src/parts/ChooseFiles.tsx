/** A button that opens the browser's choice of files; the same file can be chosen again and again. */
import { Button, FileButton, type ButtonProps } from "@mantine/core";
import { useRef } from "react";

interface Props extends ButtonProps {
  /** What is chosen, for people who hear the page. */
  label: string;
  /** Endings, as in the attribute accept. */
  accept?: string;
  multiple?: boolean;
  /** A whole folder, with what lies below it. */
  folder?: boolean;
  onFiles: (files: File[]) => void;
}

export function ChooseFiles({ label, accept, multiple = false, folder = false, onFiles, ...look }: Props) {
  const reset = useRef<() => void>(null);
  return (
    <FileButton
      resetRef={reset}
      accept={accept}
      multiple={multiple}
      inputProps={{ "aria-label": label, ...(folder && { webkitdirectory: "" }) }}
      onChange={(chosen: File | File[] | null) => {
        const files = [chosen ?? []].flat();
        reset.current?.();
        if (files.length > 0) onFiles(files);
      }}
    >
      {(opens) => <Button variant="default" {...look} {...opens} />}
    </FileButton>
  );
}
