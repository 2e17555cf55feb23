/** How many of the flags have a decision. */
import { useQuery } from "@tanstack/react-query";

import { run as runQuery, unreviewed } from "@/api/queries";
import { count } from "@/parts/format";

export function ReviewProgress({ runId, saving }: { runId: string; saving: boolean }) {
  const flagged = useQuery(runQuery(runId)).data?.flagged ?? 0;
  const open = useQuery(unreviewed(runId)).data;
  if (!flagged || open === undefined) return <div className="reviewed" />;
  const done = Math.max(0, flagged - open);
  return (
    <div className="reviewed" role="status">
      <div className="reviewed-bar" aria-hidden>
        <div style={{ width: `${(done / flagged) * 100}%` }} />
      </div>
      <span className="dim number">
        {count(done)} of {count(flagged)} flags reviewed
      </span>
      {saving && <span className="faint">saving…</span>}
    </div>
  );
}
