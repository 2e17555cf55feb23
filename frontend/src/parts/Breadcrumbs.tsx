/** Dataset › run of the address one is at, with the tabs of a run. */
import { IconChevronRight } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";

import { isFinal } from "@/api/events";
import { dataset, run } from "@/api/queries";

import { useTitle } from "./useTitle";

export function Breadcrumbs() {
  const { datasetId, runId } = useParams({ strict: false });
  const ofRun = useQuery({ ...run(runId ?? ""), enabled: runId !== undefined });
  const id = datasetId ?? ofRun.data?.dataset_id;
  const ofDataset = useQuery({ ...dataset(id ?? ""), enabled: datasetId !== undefined });
  const name = ofRun.data?.dataset_name ?? ofDataset.data?.name;
  const at = ofRun.data;
  useTitle(name, at && !isFinal(at.status) ? Math.floor(at.progress.fraction * 100) : null);
  if (id === undefined || name === undefined) return <nav className="crumbs" aria-label="Where you are" />;
  return (
    <nav className="crumbs" aria-label="Where you are">
      <IconChevronRight size={14} className="faint" aria-hidden />
      <Link to="/datasets/$datasetId" params={{ datasetId: id }} className="plain crumb">
        {name}
      </Link>
      {runId !== undefined && ofRun.data && (
        <>
          <IconChevronRight size={14} className="faint" aria-hidden />
          <Link to="/runs/$runId" params={{ runId }} className="plain crumb">
            {ofRun.data.recipe}
          </Link>
        </>
      )}
    </nav>
  );
}
