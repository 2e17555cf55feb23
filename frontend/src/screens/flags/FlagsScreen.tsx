/** Gallery and review in one: the grid stays as it is beneath the open sample. */
import { useLocalStorage } from "@mantine/hooks";
import { IconMoodCheck, IconPhotoSearch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate, useParams } from "@tanstack/react-router";
import { useCallback, useRef, useState } from "react";

import { useRights } from "@/accounts/useMay";
import type { Dataset } from "@/api/client";
import { dataset as datasetQuery, imageUrl, run as runQuery } from "@/api/queries";
import { Blind, LookOnly } from "@/decisions/LookOnly";
import { useDecisions } from "@/decisions/useDecisions";
import { Dialog } from "@/parts/Dialog";
import { EmptyState, ErrorState, Loading } from "@/parts/States";

import { Announcer } from "./Announcer";
import { Banners } from "./Banners";
import { ClassPicker } from "./ClassPicker";
import { asQuery, isFiltered, unfiltered, without, type FlagsSearch } from "./filter";
import { FilterBar } from "./FilterBar";
import { Grid, type GridHandle } from "./Grid";
import { Review } from "./review/Review";
import { ReviewProgress } from "./ReviewProgress";
import { SelectionBar } from "./SelectionBar";
import { SIZES, Tools } from "./Tools";
import { useList } from "./useList";
import { usePlace } from "./usePlace";
import { useSamplesAhead } from "./usePrefetch";
import { tooMany, useReviewing } from "./useReviewing";
import "./flags.css";

const route = getRouteApi("/runs/$runId/gallery");

export function FlagsScreen() {
  const { runId } = useParams({ from: "/runs/$runId" });
  const run = useQuery(runQuery(runId)).data;
  const dataset = useQuery({ ...datasetQuery(run?.dataset_id ?? ""), enabled: run !== undefined });
  const { may, barred } = useRights(run?.dataset_id);
  // A key pressed before it is known whether one may decide would be lost.
  const rightsKnown = may("decide") || barred("decide");
  if (run && run.status !== "succeeded") {
    return (
      <EmptyState icon={<IconPhotoSearch size={22} stroke={1.6} />} title="No flags yet">
        Flags are published when the run has finished.
      </EmptyState>
    );
  }
  if (dataset.isError) return <ErrorState error={dataset.error} retry={() => void dataset.refetch()} />;
  if (!dataset.data || !rightsKnown) {
    return (
      <div className="page page-normal">
        <Loading />
      </div>
    );
  }
  return <Gallery key={runId} runId={runId} dataset={dataset.data} />;
}

function Gallery({ runId, dataset }: { runId: string; dataset: Dataset }) {
  const { id: datasetId, classes } = dataset;
  const search = route.useSearch();
  const navigate = useNavigate();
  const { index: indexText } = useParams({ strict: false });
  const open = indexText === undefined ? null : Number(indexText);
  const [size, setSize] = useLocalStorage({ key: "noise-audit.tile", defaultValue: SIZES[1] ?? 112 });
  const [resting, setResting] = useState<number | null>(null);
  const list = useList(runId, asQuery(search), open ?? resting);
  const { order, total } = list;
  const decisions = useDecisions(datasetId, runId);
  const filterButton = useRef<HTMLButtonElement>(null);
  const neighbours = useRef<HTMLUListElement>(null);
  const grid = useRef<GridHandle>(null);
  const columns = useRef(1);
  const [zoomed, setZoomed] = useState(false);

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
    list,
    open,
    resting,
    setResting,
    columns,
    decisions,
    go,
    onZoom: () => setZoomed(true),
    onFilter: () => filterButton.current?.click(),
    onNeighbours: () => neighbours.current?.querySelector("button")?.focus(),
  });
  useSamplesAhead(runId, datasetId, order, review.cursor);
  const { onFirst, onLeave } = usePlace({
    shown: open === null && order.length > 0,
    cursor: resting,
    setCursor: setResting,
    grid,
  });

  const filterBy = (change: Partial<FlagsSearch>, from = search) => {
    review.clearSelection();
    setResting(null);
    void navigate({
      to: "/runs/$runId/flags",
      params: { runId },
      search: without({ ...from, ...change }),
      replace: true,
    });
  };
  const onOpen = useCallback(
    (index: number) => {
      onLeave(index);
      setResting(index);
      go(index);
    },
    [go, onLeave],
  );
  const onColumns = useCallback((now: number) => {
    columns.current = now;
  }, []);

  const progress = <ReviewProgress runId={runId} saving={decisions.pending > 0} />;
  return (
    <main className="flags">
      <Banners decisions={decisions} />
      <div className="flags-stack">
        <section className="gallery" inert={open !== null} aria-label="Gallery">
          <h1 className="visually-hidden">Flags</h1>
          <FilterBar
            runId={runId}
            datasetId={datasetId}
            search={search}
            classes={classes}
            total={total}
            openRef={filterButton}
            onChange={filterBy}
            onClear={() => filterBy({}, unfiltered(search))}
          />
          <Tools
            runId={runId}
            search={search}
            order={order}
            size={size}
            onChange={filterBy}
            onSize={setSize}
            onSelectAll={decisions.allowed ? review.selectAll : undefined}
          >
            {open === null && progress}
            {decisions.barred && <LookOnly />}
            {decisions.allowed && dataset.blind && <Blind />}
          </Tools>
          {list.error !== null ? (
            <ErrorState error={list.error} retry={list.retry} />
          ) : list.pending ? (
            <div className="flags-loading">
              <Loading rows={4} height={128} />
            </div>
          ) : order.length === 0 ? (
            <Nothing filtered={isFiltered(search)} />
          ) : (
            <Grid
              ref={grid}
              datasetId={datasetId}
              list={list}
              classes={classes}
              size={size}
              cursor={review.cursor}
              selected={review.selected}
              standing={decisions.standing}
              onOpen={onOpen}
              onSelect={decisions.allowed ? review.select : undefined}
              onColumns={onColumns}
              onFirst={onFirst}
            />
          )}
          {review.selected.size > 0 && (
            <SelectionBar
              selected={review.selected.size}
              busy={review.busy}
              tooMany={tooMany(review.selected.size)}
              onDecide={review.decideSelected}
              onRelabel={() => review.setPicking("selection")}
              onClear={review.clearSelection}
            />
          )}
        </section>
        {open !== null && (
          <Review
            runId={runId}
            datasetId={datasetId}
            classes={classes}
            index={open}
            list={list}
            pictureSize={size}
            progress={progress}
            standing={decisions.standing}
            onDecide={decisions.allowed ? review.decideOne : undefined}
            barred={decisions.barred}
            onRelabel={() => review.setPicking("open")}
            onZoom={() => setZoomed(true)}
            onStep={review.move}
            onGo={(index) => go(index, true)}
            onAside={review.openAside}
            onClose={review.close}
            neighbours={neighbours}
          />
        )}
      </div>
      <Announcer list={list} cursor={review.cursor} classes={classes} standing={decisions.standing} />
      <ClassPicker
        opened={review.picking !== null}
        title={review.picking === "selection" ? `Relabel ${review.selected.size} samples to` : "Relabel to"}
        classes={classes}
        onPick={review.pick}
        onClose={() => review.setPicking(null)}
      />
      <Dialog
        opened={zoomed && open !== null}
        onClose={() => setZoomed(false)}
        title={`Sample ${open ?? ""}`}
        size="auto"
      >
        {open !== null && (
          <img src={imageUrl(datasetId, open)} alt={`Sample ${open}`} className="zoom pixels" />
        )}
      </Dialog>
    </main>
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
