/** One cell of the matrix: its most suspect samples, and one decision for all that have none yet. */
import { Button, CloseButton } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconArrowsExchange, IconCheck, IconLayoutGrid } from "@tabler/icons-react";
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect } from "react";

import { problemOf } from "@/api/client";
import { allSamples, classNoise, type Cell } from "@/api/evidence";
import { samples as samplesQuery } from "@/api/queries";
import { LookOnly } from "@/decisions/LookOnly";
import { undoKeys, useDecisions } from "@/decisions/useDecisions";
import { VERDICTS, type Verdict } from "@/decisions/verdicts";
import { useKeys } from "@/keys/useKeys";
import { count, many } from "@/parts/format";
import { LinkButton } from "@/parts/LinkButton";
import { ErrorState, Loading, ProblemNote } from "@/parts/States";
import { Thumb } from "@/parts/Thumb";

const SHOWN = 24;

interface Props {
  runId: string;
  datasetId: string;
  classes: string[];
  cell: Cell;
  onClose: () => void;
}

export function CellPanel({ runId, datasetId, classes, cell, onClose }: Props) {
  const queries = useQueryClient();
  const decisions = useDecisions(datasetId, runId);
  const filter = { flagged: true, given_label: cell.given, suggested_label: cell.suggested };
  const listed = useInfiniteQuery(samplesQuery(runId, { ...filter, order: "posterior" }));
  const items = listed.data?.pages.flatMap((page) => page.items).slice(0, SHOWN) ?? [];
  const given = classes[cell.given] ?? String(cell.given);
  const suggested = classes[cell.suggested] ?? String(cell.suggested);

  const decide = useMutation({
    mutationFn: async (verdict: Verdict) => {
      // What is asked for is what stands on the server now; what waits in this page is laid over it.
      const rows = await allSamples(runId, { ...filter, order: "index" });
      return { verdict, open: rows.filter((row) => decisions.standing(row) === null) };
    },
    onSuccess: ({ verdict, open }) => {
      const changed = decisions.decide(open, verdict);
      notifications.show({
        message: `${many(changed, "sample")} ${VERDICTS[verdict].past}. Z takes it back.`,
      });
    },
  });
  const { pending, overlay } = decisions;
  useEffect(() => {
    // Counts follow when everything decided is on the server.
    if (pending === 0) void queries.invalidateQueries({ queryKey: classNoise(runId).queryKey });
  }, [pending, overlay, queries, runId]);
  const undecided = pending > 0 ? null : cell.undecided;
  useKeys({ close: onClose, ...undoKeys(decisions) });
  const decidable = undecided !== 0 && !decide.isPending && pending === 0;

  return (
    <aside className="card cell" aria-label={`${given} to ${suggested}`}>
      <header className="cell-head">
        <h2>
          {given} <span className="faint">→</span> {suggested}
        </h2>
        <CloseButton aria-label="Close" onClick={onClose} />
      </header>
      <p className="dim cell-words" role="status">
        {many(cell.flagged, "flag")}, {undecided === null ? "saving…" : `${count(undecided)} undecided`}
      </p>
      {decide.isError && <ProblemNote problem={problemOf(decide.error)} />}
      <div className="cell-acts">
        {decisions.barred && <LookOnly />}
        {decisions.allowed && cell.undecided > 0 && (
          <>
            <Button
              size="xs"
              leftSection={<IconArrowsExchange size={15} />}
              disabled={!decidable}
              loading={decide.isPending && decide.variables === "relabel"}
              onClick={() => decide.mutate("relabel")}
            >
              Relabel {many(cell.undecided, "sample")} to “{suggested}”
            </Button>
            <Button
              size="xs"
              variant="default"
              leftSection={<IconCheck size={15} />}
              disabled={!decidable}
              loading={decide.isPending && decide.variables === "keep"}
              onClick={() => decide.mutate("keep")}
            >
              Keep {many(cell.undecided, "sample")} as “{given}”
            </Button>
          </>
        )}
        <LinkButton
          to="/runs/$runId/flags"
          params={{ runId }}
          search={{ given: cell.given, suggested: cell.suggested }}
          size="xs"
          variant="default"
          leftSection={<IconLayoutGrid size={15} />}
        >
          Open in the gallery
        </LinkButton>
      </div>
      {listed.isError && <ErrorState error={listed.error} retry={() => void listed.refetch()} />}
      {listed.isPending && <Loading rows={1} height={90} />}
      <ul className="cell-thumbs">
        {items.map((sample) => (
          <li key={sample.index}>
            <Link
              to="/runs/$runId/review/$index"
              params={{ runId, index: String(sample.index) }}
              search={{ given: cell.given, suggested: cell.suggested }}
              data-decided={decisions.standing(sample)?.verdict}
            >
              <Thumb datasetId={datasetId} index={sample.index} alt={`Sample ${sample.index}`} />
            </Link>
          </li>
        ))}
      </ul>
      {cell.flagged > items.length && items.length > 0 && (
        <p className="faint cell-words">
          the {items.length} most suspect of {count(cell.flagged)}
        </p>
      )}
    </aside>
  );
}
