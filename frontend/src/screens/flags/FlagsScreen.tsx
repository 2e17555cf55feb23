/** Gallery and review in one: a grid of samples, and the open one beside it. */
import { Modal } from "@mantine/core";
import { useLocalStorage } from "@mantine/hooks";
import { IconMoodCheck, IconPhotoSearch, IconWifiOff } from "@tabler/icons-react";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate, useParams } from "@tanstack/react-router";
import { useCallback, useRef, useState } from "react";

import type { Sample } from "@/api/client";
import { dataset as datasetQuery, imageUrl, run as runQuery, samples as samplesQuery } from "@/api/queries";
import { useDecisions } from "@/decisions/useDecisions";
import { useKeysOff } from "@/keys/useKeys";
import { EmptyState, ErrorState, Loading } from "@/parts/States";

import { ClassPicker } from "./ClassPicker";
import { asQuery, isFiltered, type FlagsSearch } from "./filter";
import { FilterBar, SIZES } from "./FilterBar";
import { Grid } from "./Grid";
import { ReviewProgress } from "./ReviewProgress";
import { SamplePanel } from "./SamplePanel";
import { SelectionBar } from "./SelectionBar";
import { usePrefetch } from "./usePrefetch";
import { useReviewing } from "./useReviewing";
import "./flags.css";

const route = getRouteApi("/runs/$runId/gallery");
const NONE: Sample[] = [];

export function FlagsScreen() {
  const { runId } = useParams({ from: "/runs/$runId" });
  const run = useQuery(runQuery(runId)).data;
  const dataset = useQuery({ ...datasetQuery(run?.dataset_id ?? ""), enabled: run !== undefined });
  if (run && run.status !== "succeeded") {
    return (
      <EmptyState icon={<IconPhotoSearch size={22} stroke={1.6} />} title="No flags yet">
        Flags are published when the run has finished.
      </EmptyState>
    );
  }
  if (dataset.isError) return <ErrorState error={dataset.error} retry={() => void dataset.refetch()} />;
  if (!dataset.data) {
    return (
      <div className="page page-normal">
        <Loading />
      </div>
    );
  }
  return <Gallery key={runId} runId={runId} datasetId={dataset.data.id} classes={dataset.data.classes} />;
}

function Gallery({ runId, datasetId, classes }: { runId: string; datasetId: string; classes: string[] }) {
  const search = route.useSearch();
  const navigate = useNavigate();
  const { index: indexText } = useParams({ strict: false });
  const open = indexText === undefined ? null : Number(indexText);
  const [size, setSize] = useLocalStorage({ key: "noise-audit.tile", defaultValue: SIZES[1] ?? 112 });
  const pages = useInfiniteQuery(samplesQuery(runId, asQuery(search)));
  const items = pages.data ? flat(pages.data.pages) : NONE;
  const total = pages.data?.pages[0]?.total ?? null;
  const decisions = useDecisions(datasetId, runId);
  const filterButton = useRef<HTMLButtonElement>(null);
  const columns = useRef(1);
  const [zoomed, setZoomed] = useState(false);
  useKeysOff(zoomed && open !== null);

  const go = useCallback(
    (index: number | null, replace = false) =>
      index === null
        ? void navigate({ to: "/runs/$runId/flags", params: { runId }, search: (now) => now, replace })
        : void navigate({
            to: "/runs/$runId/review/$index",
            params: { runId, index: String(index) },
            search: (now) => now,
            replace,
          }),
    [navigate, runId],
  );
  const review = useReviewing({
    runId,
    items,
    open,
    columns,
    decisions,
    go,
    onZoom: () => setZoomed(true),
    onFilter: () => filterButton.current?.click(),
  });
  usePrefetch(runId, datasetId, items, review.cursor);

  const filterBy = (change: Partial<FlagsSearch>) => {
    review.clearSelection();
    void navigate({
      to: "/runs/$runId/flags",
      params: { runId },
      search: (now) => cleared({ ...now, ...change }),
      replace: true,
    });
  };
  const { fetchNextPage, hasNextPage, isFetchingNextPage } = pages;
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [fetchNextPage, hasNextPage, isFetchingNextPage]);

  async function selectAll() {
    let last = pages;
    while (last.hasNextPage) last = await last.fetchNextPage();
    review.selectAll((last.data ? flat(last.data.pages) : items).map(({ index }) => index));
  }

  const openRow = open === null ? undefined : items.find(({ index }) => index === open);
  const at = open === null ? -1 : items.findIndex(({ index }) => index === open);
  return (
    <div className="flags" data-open={open !== null || undefined}>
      <div className="flags-main">
        <FilterBar
          search={search}
          classes={classes}
          total={total}
          size={size}
          openRef={filterButton}
          onChange={filterBy}
          onClear={() =>
            filterBy({
              given: undefined,
              suggested: undefined,
              min: undefined,
              max: undefined,
              verdict: undefined,
            })
          }
          onSize={setSize}
          onSelectAll={() => void selectAll()}
        />
        <ReviewProgress runId={runId} decisions={decisions} />
        {decisions.offline && (
          <div className="flags-offline" role="status">
            <IconWifiOff size={15} aria-hidden /> The server is away. {decisions.pending} of your decisions
            wait here and are sent when it is back.
          </div>
        )}
        {pages.isError ? (
          <ErrorState error={pages.error} retry={() => void pages.refetch()} />
        ) : pages.isPending ? (
          <div className="flags-loading">
            <Loading rows={4} height={128} />
          </div>
        ) : items.length === 0 ? (
          <Nothing filtered={isFiltered(search)} />
        ) : (
          <Grid
            datasetId={datasetId}
            items={items}
            classes={classes}
            size={size}
            cursor={review.cursor}
            selected={review.selected}
            standing={decisions.standing}
            onOpen={(sample) => go(sample.index, open !== null)}
            onSelect={review.select}
            onColumns={(now) => {
              columns.current = now;
            }}
            onEnd={onEnd}
          />
        )}
        {review.selected.size > 0 && (
          <SelectionBar
            selected={review.selected.size}
            onKeep={() => review.decideSelected("keep")}
            onAccept={() => review.decideSelected("relabel")}
            onRemove={() => review.decideSelected("remove")}
            onUnsure={() => review.decideSelected("unsure")}
            onRelabel={() => review.setPicking("selection")}
            onClear={review.clearSelection}
          />
        )}
      </div>
      {open !== null && (
        <SamplePanel
          runId={runId}
          datasetId={datasetId}
          classes={classes}
          index={open}
          row={openRow}
          position={at >= 0 && total !== null ? { at, of: total } : null}
          standing={decisions.standing}
          onDecide={review.decideOne}
          onRelabel={() => review.setPicking("open")}
          onZoom={() => setZoomed(true)}
          onGo={(index) => go(index)}
          onClose={() => go(null)}
        />
      )}
      <ClassPicker
        opened={review.picking !== null}
        title={review.picking === "selection" ? `Relabel ${review.selected.size} samples to` : "Relabel to"}
        classes={classes}
        onPick={review.pick}
        onClose={() => review.setPicking(null)}
      />
      <Modal
        opened={zoomed && open !== null}
        onClose={() => setZoomed(false)}
        title={`Sample ${open ?? ""}`}
        size="auto"
      >
        {open !== null && (
          <img src={imageUrl(datasetId, open)} alt={`Sample ${open}`} className="zoom pixels" />
        )}
      </Modal>
    </div>
  );
}

function Nothing({ filtered }: { filtered: boolean }) {
  return filtered ? (
    <EmptyState icon={<IconPhotoSearch size={22} stroke={1.6} />} title="No sample matches these filters">
      Clear one of them to see more.
    </EmptyState>
  ) : (
    <EmptyState icon={<IconMoodCheck size={22} stroke={1.6} />} title="Nothing is flagged">
      This run found no label that stands out as wrong. “All samples” shows them by their posterior all the
      same.
    </EmptyState>
  );
}

const flat = (pages: { items: Sample[] }[]) => pages.flatMap((page) => page.items);

function cleared(search: FlagsSearch): FlagsSearch {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined));
}
