/** What is picked on the map: its most suspect samples, one decision for all of them, the way to the gallery. */
import { CloseButton } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconLayoutGrid } from "@tabler/icons-react";
import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { problemOf, type Sample } from "@/api/client";
import { allSamples } from "@/api/evidence";
import { samples as samplesQuery, type SampleFilter } from "@/api/queries";
import { DecisionButtons } from "@/decisions/DecisionButtons";
import { LookOnly } from "@/decisions/LookOnly";
import { undoKeys, useDecisions } from "@/decisions/useDecisions";
import { VERDICTS, type Verdict } from "@/decisions/verdicts";
import { useKeys } from "@/keys/useKeys";
import { count, many } from "@/parts/format";
import { LinkButton } from "@/parts/LinkButton";
import { ErrorState, Loading, ProblemNote } from "@/parts/States";
import { Thumb } from "@/parts/Thumb";
import type { FlagsSearch } from "@/screens/flags/filter";

/** As many as one undo takes back on another machine, and as one sees the end of. */
const AT_ONCE = 10_000;
const SHOWN = 60;

interface Props {
  runId: string;
  datasetId: string;
  classes: string[];
  samples: number;
  /** Null until what was drawn has an address. */
  search: FlagsSearch | null;
  filter: SampleFilter | null;
  problem: unknown;
  onClose: () => void;
}

export function Picked({ runId, datasetId, classes, samples, search, filter, problem, onClose }: Props) {
  const navigate = useNavigate();
  const listed = useInfiniteQuery({ ...samplesQuery(runId, filter ?? {}), enabled: filter !== null });
  const items = filter ? (listed.data?.pages.flatMap((page) => page.items).slice(0, SHOWN) ?? []) : [];
  const decisions = useDecisions(datasetId, runId);
  const [fetched, setFetched] = useState(0);
  const decide = useMutation({
    mutationFn: async (verdict: Verdict) => ({
      verdict,
      rows: await allSamples(runId, { ...filter, order: "index" }, setFetched),
    }),
    onSuccess: ({ verdict, rows }) => {
      const changed = decisions.decide(rows, verdict);
      const same = rows.length - changed;
      notifications.show({
        message: `${many(changed, "sample")} ${VERDICTS[verdict].past}${same > 0 ? `; ${count(same)} were already` : ""}. Z takes it back.`,
      });
    },
    onSettled: () => setFetched(0),
  });
  const possible = filter !== null && samples <= AT_ONCE && !decide.isPending;
  const act = (verdict: Verdict) => {
    if (possible) decide.mutate(verdict);
  };
  useKeys({ close: onClose, ...undoKeys(decisions) });
  const open = (sample: Sample) =>
    void navigate({
      to: "/runs/$runId/review/$index",
      params: { runId, index: String(sample.index) },
      search: search ?? { show: "all" },
    });
  return (
    <aside className="picked" aria-label="Picked samples">
      <header className="picked-head">
        <strong className="number">{many(samples, "sample")}</strong>
        <CloseButton aria-label="Close" onClick={onClose} />
      </header>
      {search && (
        <LinkButton
          to="/runs/$runId/flags"
          params={{ runId }}
          search={search}
          size="xs"
          fullWidth
          leftSection={<IconLayoutGrid size={15} />}
        >
          Open in the gallery
        </LinkButton>
      )}
      {problem !== null && <ProblemNote problem={problemOf(problem)} />}
      {decide.isError && <ProblemNote problem={problemOf(decide.error)} />}
      {decisions.barred && <LookOnly />}
      {!decisions.allowed ? null : samples <= AT_ONCE ? (
        <div className="picked-decide" data-off={!possible || undefined}>
          <DecisionButtons
            keys={false}
            suffix={samples > 1 ? ` ${count(samples)}` : ""}
            suggestion="Accept"
            onKeep={() => act("keep")}
            onAccept={() => act("relabel")}
            onRemove={() => act("remove")}
            onUnsure={() => act("unsure")}
          />
          {decide.isPending && (
            <p className="faint picked-note number" role="status">
              fetching {count(fetched)} of {count(samples)}…
            </p>
          )}
        </div>
      ) : (
        <p className="dim picked-note">
          At most {count(AT_ONCE)} are decided at once. Circle fewer, or filter them in the gallery.
        </p>
      )}
      {listed.isError && <ErrorState error={listed.error} retry={() => void listed.refetch()} />}
      {(filter === null || listed.isPending) && problem === null && <Loading rows={3} height={90} />}
      <ul className="picked-grid">
        {items.map((sample) => {
          const standing = decisions.standing(sample);
          return (
            <li key={sample.index}>
              <button
                type="button"
                onClick={() => open(sample)}
                data-index={sample.index}
                data-decided={standing?.verdict}
                title={`${classes[sample.given_label] ?? ""}${sample.flagged ? `, suggested ${classes[sample.suggested_label] ?? ""}` : ""}`}
              >
                <Thumb datasetId={datasetId} index={sample.index} alt={`Sample ${sample.index}`} />
                <span className="picked-labels">
                  {classes[sample.given_label]}
                  {sample.suggested_label !== sample.given_label && (
                    <>
                      {" → "}
                      <b>{classes[sample.suggested_label]}</b>
                    </>
                  )}
                </span>
              </button>
            </li>
          );
        })}
      </ul>
      {items.length > 0 && samples > items.length && (
        <p className="faint picked-note">
          the {items.length} most suspect of {count(samples)}; all are in the gallery
        </p>
      )}
    </aside>
  );
}
