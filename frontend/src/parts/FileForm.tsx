/** A form around one file: the file, what else is asked, what went wrong with it, the button that sends it. */
import { Button, Progress, type ButtonProps } from "@mantine/core";
import type { ReactNode } from "react";

import { problemOf } from "@/api/client";

import { FilePick } from "./FilePick";
import { ProblemNote } from "./States";
import type { SentFile } from "./useSentFile";

/** What the server reads as a table. */
export const TABLES = ".csv,.tsv,.jsonl,.parquet";

interface Props extends ButtonProps {
  sent: SentFile;
  label: string;
  accept?: string;
  /** What the file should look like. */
  says: ReactNode;
  action: ReactNode;
  /** Beside the button. */
  aside?: ReactNode;
  children?: ReactNode;
}

export function FileForm({
  sent,
  label,
  accept = TABLES,
  says,
  action,
  aside,
  children,
  disabled = false,
  ...look
}: Props) {
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        sent.submit();
      }}
    >
      <FilePick label={label} accept={accept} file={sent.file} onFile={sent.choose}>
        {says}
      </FilePick>
      {children}
      {sent.error && <ProblemNote problem={problemOf(sent.error)} />}
      {sent.pending && sent.share < 1 && <Progress value={sent.share * 100} size="sm" aria-label="Upload" />}
      <div className="file-form-end">
        <Button type="submit" {...look} disabled={disabled || !sent.file} loading={sent.pending}>
          {action}
        </Button>
        {aside && <span className="dim">{aside}</span>}
      </div>
    </form>
  );
}
