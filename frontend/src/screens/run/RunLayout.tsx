/** The tabs of one run, and the event stream that keeps it current on every one of them. */
import { notifications } from "@mantine/notifications";
import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useLocation, useNavigate, useParams } from "@tanstack/react-router";

import { useEffect, useRef } from "react";

import type { Run } from "@/api/client";
import { isFinal, useRunEvents } from "@/api/events";
import { run as runQuery } from "@/api/queries";
import { useKeys } from "@/keys/useKeys";
import { count, many } from "@/parts/format";
import { ErrorState, Loading } from "@/parts/States";
import { StatusBadge } from "@/parts/StatusBadge";

export function RunLayout() {
  const { runId } = useParams({ from: "/runs/$runId" });
  const navigate = useNavigate();
  const { pathname } = useLocation();
  const asked = useQuery(runQuery(runId));
  const live = asked.data !== undefined && !isFinal(asked.data.status);
  const connection = useRunEvents(runId, live);
  const tabs = useRef<HTMLElement>(null);
  const shown = asked.isSuccess;
  useEffect(() => {
    // Where they do not all fit, the one that one is on must be in sight.
    if (shown)
      tabs.current
        ?.querySelector("[data-status=active]")
        ?.scrollIntoView({ inline: "nearest", block: "nearest" });
  }, [pathname, shown]);
  const done = asked.data?.status === "succeeded";
  const params = { runId };
  useFlagsReady(asked.data, pathname.replace(/\/$/, "") === `/runs/${runId}`);
  useKeys({
    goAudit: () => void navigate({ to: "/runs/$runId", params }),
    ...(done && {
      goFlags: () => void navigate({ to: "/runs/$runId/flags", params }),
      goLoss: () => void navigate({ to: "/runs/$runId/loss", params }),
      goMap: () => void navigate({ to: "/runs/$runId/map", params }),
      goClasses: () => void navigate({ to: "/runs/$runId/classes", params }),
      goSignOff: () => void navigate({ to: "/runs/$runId/sign-off", params }),
      goCompare: () => {
        if (asked.data)
          void navigate({
            to: "/datasets/$datasetId/compare",
            params: { datasetId: asked.data.dataset_id },
            search: { runs: runId },
          });
      },
      goExport: () => void navigate({ to: "/runs/$runId/export", params }),
    }),
  });
  if (asked.isError) return <ErrorState error={asked.error} retry={() => void asked.refetch()} />;
  if (asked.isPending) {
    return (
      <div className="page page-normal">
        <Loading />
      </div>
    );
  }
  const run = asked.data;
  const inGallery = /\/(flags|review)(\/|$)/.test(pathname);
  const elsewhere = pathname.replace(/\/$/, "") !== `/runs/${runId}`;
  return (
    <>
      <nav className="tabs" aria-label="Run" ref={tabs}>
        <Link to="/runs/$runId" params={params} activeOptions={{ exact: true }} className="tab">
          Audit
        </Link>
        <Link
          to="/runs/$runId/flags"
          params={params}
          className="tab"
          disabled={!done}
          data-status={inGallery ? "active" : undefined}
        >
          Flags {run.flagged != null && <span className="tab-count">{count(run.flagged)}</span>}
        </Link>
        <Link to="/runs/$runId/loss" params={params} className="tab">
          Loss
        </Link>
        <Link to="/runs/$runId/map" params={params} className="tab" disabled={!done}>
          Map
        </Link>
        <Link to="/runs/$runId/classes" params={params} className="tab" disabled={!done}>
          Classes
        </Link>
        <Link to="/runs/$runId/sign-off" params={params} className="tab" disabled={!done}>
          Sign-off
        </Link>
        <Link to="/runs/$runId/export" params={params} className="tab" disabled={!done}>
          Export
        </Link>
        {done && (
          <Link
            to="/datasets/$datasetId/compare"
            params={{ datasetId: run.dataset_id }}
            search={{ runs: runId }}
            className="tab"
          >
            Compare
          </Link>
        )}
        <div className="tabs-aside faint" role="status">
          {live && connection === "lost" && "Connection lost, trying again…"}
          {elsewhere && !done && <StatusBadge status={run.status} />}
          {elsewhere && live && <span className="number">{Math.floor(run.progress.fraction * 100)} %</span>}
        </div>
      </nav>
      <Outlet />
    </>
  );
}

/** Say that there is something to review, on whichever tab one watched it; the run's own page says it by itself. */
function useFlagsReady(run: Run | undefined, onItsPage: boolean) {
  const before = useRef<string | undefined>(undefined);
  const status = run?.status;
  const flagged = run?.flagged ?? 0;
  useEffect(() => {
    const watched = before.current === "running";
    before.current = status;
    if (!watched || onItsPage) return;
    if (status === "succeeded")
      notifications.show({ message: `The audit has finished: ${many(flagged, "flag")} ready to review.` });
    if (status === "failed") notifications.show({ color: "red", message: "The audit has failed." });
  }, [status, flagged, onItsPage]);
}
