/** How many of the flags have a decision, and what the server refused. */
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { run as runQuery, unreviewed } from "@/api/queries";
import type { Decisions } from "@/decisions/useDecisions";
import { count } from "@/parts/format";

export function ReviewProgress({ runId, decisions }: { runId: string; decisions: Decisions }) {
  const flagged = useQuery(runQuery(runId)).data?.flagged ?? 0;
  const open = useQuery(unreviewed(runId)).data;
  if (decisions.refused) {
    return (
      <div className="flags-offline flags-refused" role="alert">
        The server refused a decision, it was taken back: {decisions.refused.message}
        <Button size="compact-xs" variant="subtle" color="gray" onClick={decisions.dismissRefusal}>
          Dismiss
        </Button>
      </div>
    );
  }
  if (!flagged || open === undefined) return <div className="reviewed" />;
  const done = Math.max(0, flagged - open);
  return (
    <div
      className="reviewed"
      role="status"
      title={`${count(done)} of ${count(flagged)} flags have a decision`}
    >
      <div className="reviewed-bar">
        <div style={{ width: `${(done / flagged) * 100}%` }} />
      </div>
      <span className="faint number">
        {count(done)} of {count(flagged)} flags reviewed
      </span>
      {decisions.pending > 0 && <span className="faint">saving…</span>}
    </div>
  );
}
