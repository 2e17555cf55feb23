/** What was picked on the map, most suspect first; decided in bulk or opened one by one. */
import { CloseButton } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";

import type { Sample } from "@/api/client";
import { samplesAt } from "@/api/queries";
import { DecisionButtons } from "@/decisions/DecisionButtons";
import { useDecisions } from "@/decisions/useDecisions";
import { VERDICTS, type Verdict } from "@/decisions/verdicts";
import { useKeys } from "@/keys/useKeys";
import { count, many } from "@/parts/format";
import { ErrorState, Loading } from "@/parts/States";
import { Tile } from "@/screens/flags/Tile";
import "@/screens/flags/flags.css";
import "@/screens/flags/panel.css";

/** The server lists so many by index at once. */
export const LISTED = 500;

interface Props {
  runId: string;
  datasetId: string;
  classes: string[];
  indices: number[];
  onClose: () => void;
}

export function Picked({ runId, datasetId, classes, indices, onClose }: Props) {
  const navigate = useNavigate();
  const listed = indices.slice(0, LISTED);
  const asked = useQuery(samplesAt(runId, listed));
  const decisions = useDecisions(datasetId, runId);
  const items = asked.data?.items ?? [];
  const cut = indices.length > listed.length;

  function decide(verdict: Verdict) {
    const changed = decisions.decide(items, verdict);
    notifications.show({ message: `${many(changed, "sample")} ${VERDICTS[verdict].past}. Z takes it back.` });
  }
  useKeys({ close: onClose, undo: () => void decisions.undo(), redo: () => void decisions.redo() });

  const open = (sample: Sample) =>
    void navigate({
      to: "/runs/$runId/review/$index",
      params: { runId, index: String(sample.index) },
      search: { show: "all", given: sample.given_label },
    });
  return (
    <aside className="picked" aria-label="Picked samples">
      <header className="panel-head">
        <strong className="number">{many(indices.length, "sample")}</strong>
        <span className="faint picked-cut">{cut && `the first ${count(LISTED)} are shown and decided`}</span>
        <CloseButton aria-label="Close" onClick={onClose} />
      </header>
      <DecisionButtons
        keys={false}
        suffix={items.length > 1 ? ` ${count(items.length)}` : ""}
        suggestion="Accept"
        onKeep={() => decide("keep")}
        onAccept={() => decide("relabel")}
        onRemove={() => decide("remove")}
        onUnsure={() => decide("unsure")}
      />
      {asked.isError && <ErrorState error={asked.error} retry={() => void asked.refetch()} />}
      {asked.isPending && <Loading rows={3} height={110} />}
      <div className="picked-grid">
        {items.map((sample) => (
          <Tile
            key={sample.index}
            datasetId={datasetId}
            classes={classes}
            sample={sample}
            standing={decisions.standing(sample)}
            cursor={false}
            selected={false}
            selecting={false}
            onOpen={open}
            onSelect={open}
          />
        ))}
      </div>
    </aside>
  );
}
