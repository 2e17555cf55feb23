/** Images that are there twice, or nearly: looked for on request, listed by what speaks against them, decided. */
import { Button, Loader, Pagination, SegmentedControl } from "@mantine/core";
import { IconArrowBackUp, IconCopy, IconTrash } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";

import { useMay } from "@/accounts/useMay";
import { answer, client, problemOf, type Dataset } from "@/api/client";
import { duplicates as duplicatesQuery, everyDuplicate, type Duplicates } from "@/api/own";
import { dataset as datasetQuery } from "@/api/queries";
import { LookOnly } from "@/decisions/LookOnly";
import { undoKeys, useDecisions } from "@/decisions/useDecisions";
import { useKeys } from "@/keys/useKeys";
import { count, many } from "@/parts/format";
import { Page } from "@/parts/Page";
import { EmptyState, ErrorState, Loading, ProblemNote } from "@/parts/States";

import { asFilter, SHOWN, type Shown } from "./filter";
import { decidable, Group } from "./Group";
import "./duplicates.css";

const PAGE = 50;

export function DuplicatesScreen() {
  const { datasetId } = useParams({ from: "/datasets/$datasetId/duplicates" });
  const { kind: show, page = 1 } = useSearch({ from: "/datasets/$datasetId/duplicates" });
  const dataset = useQuery(datasetQuery(datasetId));
  const found = useQuery(duplicatesQuery(datasetId, asFilter(show), (page - 1) * PAGE, PAGE));
  const error = dataset.error ?? found.error;
  if (error) return <ErrorState error={error} retry={() => void found.refetch()} />;
  return (
    <Page
      title="Duplicates"
      sub="Images that are equal or nearly the same. The same image with two labels: one of them is wrong. The same image in two splits: the test knows the answer."
    >
      {dataset.data && found.data ? (
        found.data.status === "done" ? (
          <Found dataset={dataset.data} found={found.data} show={show} page={page} />
        ) : (
          <Search datasetId={datasetId} found={found.data} />
        )
      ) : (
        <Loading rows={3} height={120} />
      )}
    </Page>
  );
}

function Search({ datasetId, found }: { datasetId: string; found: Duplicates }) {
  const queries = useQueryClient();
  const may = useMay(datasetId)("run");
  const search = useMutation({
    mutationFn: () =>
      answer(
        client.POST("/api/datasets/{dataset_id}/duplicates/search", {
          params: { path: { dataset_id: datasetId } },
        }),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["duplicates", datasetId] }),
  });
  if (found.status === "searching") {
    return (
      <EmptyState icon={<Loader size="sm" />} title="Looking for duplicates">
        A worker compares all images; fifty thousand take a few seconds. You can close this page.
      </EmptyState>
    );
  }
  return (
    <div className="stack">
      {found.error && <ProblemNote problem={found.error} />}
      {search.isError && <ProblemNote problem={problemOf(search.error)} />}
      <EmptyState
        icon={<IconCopy size={22} stroke={1.6} />}
        title="Not looked for yet"
        action={
          may && (
            <Button loading={search.isPending} onClick={() => search.mutate()}>
              Look for duplicates
            </Button>
          )
        }
      >
        {may
          ? "Finds equal files, and images that differ by compression, size or brightness only."
          : "An editor of the dataset can have them looked for."}
      </EmptyState>
    </div>
  );
}

interface FoundProps {
  dataset: Dataset;
  found: Duplicates;
  show: Shown | undefined;
  page: number;
}

function Found({ dataset, found, show, page }: FoundProps) {
  const navigate = useNavigate({ from: "/datasets/$datasetId/duplicates" });
  const decisions = useDecisions(dataset.id, null);
  useKeys(undoKeys(decisions));
  const removeRest = useMutation({
    mutationFn: () => everyDuplicate(dataset.id, asFilter(show)),
    onSuccess: (groups) => {
      // What somebody decided already stays as it is.
      const open = groups.flatMap(({ members }) => members.slice(1).map(decidable));
      decisions.decide(
        open.filter((member) => decisions.standing(member) === null),
        "remove",
      );
    },
  });
  if (found.groups === 0) {
    return (
      <EmptyState icon={<IconCopy size={22} stroke={1.6} />} title="No duplicates">
        No two of the {many(dataset.sample_count, "image")} are nearly the same.
      </EmptyState>
    );
  }
  const words: Record<Shown, string> = {
    labels: `Different labels (${count(found.different_labels)})`,
    splits: `Across splits (${count(found.across_splits)})`,
    equal: `Equal files (${count(found.exact)})`,
    similar: `Nearly the same (${count(found.groups - found.exact)})`,
  };
  return (
    <div className="stack">
      <SegmentedControl
        aria-label="Which groups"
        value={show ?? "all"}
        data={[
          { value: "all", label: `All (${count(found.groups)})` },
          ...SHOWN.map((value) => ({ value, label: words[value] })),
        ]}
        onChange={(value) => void navigate({ search: value === "all" ? {} : { kind: value }, replace: true })}
      />
      <div className="dup-bar">
        <span className="dim" role="status">
          {many(found.total, "group")}, {many(found.surplus, "image")} beyond the first of each
          {decisions.pending > 0 && " · saving…"}
        </span>
        {decisions.barred && <LookOnly />}
        {decisions.allowed && (
          <>
            <Button
              size="xs"
              variant="default"
              leftSection={<IconArrowBackUp size={14} />}
              disabled={!decisions.canUndo}
              onClick={() => decisions.undo()}
            >
              Undo
            </Button>
            <Button
              size="xs"
              variant="default"
              leftSection={<IconTrash size={14} />}
              disabled={found.surplus === 0}
              loading={removeRest.isPending}
              onClick={() => removeRest.mutate()}
            >
              Remove the undecided of these {count(found.surplus)}
            </Button>
          </>
        )}
      </div>
      {removeRest.isError && <ProblemNote problem={problemOf(removeRest.error)} />}
      {found.items.length === 0 && <p className="dim">No group is like that.</p>}
      {found.items.map((group) => (
        <Group
          key={group.members[0]?.index}
          group={group}
          datasetId={dataset.id}
          classes={dataset.classes}
          decisions={decisions}
        />
      ))}
      {found.total > PAGE && (
        <Pagination
          total={Math.ceil(found.total / PAGE)}
          value={page}
          onChange={(to) => void navigate({ search: (now) => ({ ...now, page: to > 1 ? to : undefined }) })}
        />
      )}
    </div>
  );
}
