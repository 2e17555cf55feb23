/** One file to take away: what it is, its manifest, and the download. */
import { IconDownload, IconFileDescription } from "@tabler/icons-react";
import type { ReactNode } from "react";

import type { Unreviewed } from "@/api/queries";

interface FileRowProps {
  runId: string;
  what: string;
  title: string;
  says: ReactNode;
  /** In the server's word, and in people's. */
  format: string;
  formatName: string;
  policy: Unreviewed;
  /** Decisions are still on their way: a file made now would miss them. */
  held: boolean;
  /** What most people come for. */
  main?: boolean;
}

export function FileRow({ runId, what, title, says, format, formatName, policy, held, main }: FileRowProps) {
  const query = `format=${format}&unreviewed=${policy}`;
  const address = `/api/runs/${runId}/exports/${what}`;
  return (
    <div className="file" data-held={held || undefined}>
      <div>
        <strong>{title}</strong>
        <div className="dim file-says">{says}</div>
      </div>
      <a
        className="file-link file-manifest"
        href={`${address}/manifest?${query}`}
        target="_blank"
        rel="noreferrer"
        aria-disabled={held}
        aria-label={`Manifest of ${title.toLowerCase()}`}
      >
        <IconFileDescription size={15} aria-hidden /> Manifest
      </a>
      <a
        className={`file-link ${main ? "file-main" : ""}`}
        href={`${address}?${query}`}
        download
        aria-disabled={held}
        aria-label={`Download ${title.toLowerCase()} as ${formatName}`}
      >
        <IconDownload size={15} aria-hidden /> {formatName}
      </a>
    </div>
  );
}
