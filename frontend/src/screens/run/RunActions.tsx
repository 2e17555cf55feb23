/** What can be done with a run: stopped while it works, reviewed once it is done, deleted by its owner. */
import { IconFlag, IconPlus, IconTrash } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";

import { useMay } from "@/accounts/useMay";
import { answer, client, type Run } from "@/api/client";
import { run as runQuery } from "@/api/queries";
import { Delete } from "@/parts/Delete";
import { LinkButton } from "@/parts/LinkButton";
import { More } from "@/parts/More";
import { StopButton } from "@/parts/StopButton";

export function RunActions({ run, live }: { run: Run; live: boolean }) {
  const may = useMay(run.dataset_id);
  const navigate = useNavigate();
  const params = { path: { run_id: run.id } };
  if (live) {
    return (
      may("run") && (
        <StopButton
          word="Stop"
          stop={() => answer(client.POST("/api/runs/{run_id}/stop", { params }))}
          of={runQuery(run.id).queryKey}
        />
      )
    );
  }
  const toDataset = { to: "/datasets/$datasetId", params: { datasetId: run.dataset_id } } as const;
  const done = run.status === "succeeded";
  return (
    <>
      {may("run") && (
        <LinkButton
          to="/datasets/$datasetId/new-run"
          params={{ datasetId: run.dataset_id }}
          variant={done ? "default" : "filled"}
          leftSection={<IconPlus size={16} />}
        >
          New audit
        </LinkButton>
      )}
      {done && (
        <LinkButton to="/runs/$runId/flags" params={{ runId: run.id }} leftSection={<IconFlag size={16} />}>
          {may("decide") ? "Review the flags" : "Look at the flags"}
        </LinkButton>
      )}
      <More
        entries={[
          may("delete") && {
            word: "Delete",
            icon: IconTrash,
            destroys: true,
            dialog: (told) => (
              <Delete
                kind="audit"
                id={run.id}
                name={`${run.recipe} on ${run.dataset_name}`}
                after={() => navigate(toDataset)}
                {...told}
              />
            ),
          },
        ]}
      />
    </>
  );
}
