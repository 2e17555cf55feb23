/** What can be done with a run: stopped while it works, reviewed once it is done, deleted by its owner. */
import { Button } from "@mantine/core";
import { IconFlag, IconPlayerStop, IconPlus, IconTrash } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";

import { useMay } from "@/accounts/useMay";
import { answer, client, problemOf, type Run } from "@/api/client";
import { run as runQuery } from "@/api/queries";
import { Delete } from "@/parts/Delete";
import { LinkButton } from "@/parts/LinkButton";
import { More } from "@/parts/More";
import { ProblemNote } from "@/parts/States";

export function RunActions({ run, live }: { run: Run; live: boolean }) {
  const may = useMay(run.dataset_id);
  const navigate = useNavigate();
  if (live) return may("run") && <StopRun run={run} />;
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

function StopRun({ run }: { run: Run }) {
  const queries = useQueryClient();
  const stop = useMutation({
    mutationFn: () =>
      answer(client.POST("/api/runs/{run_id}/stop", { params: { path: { run_id: run.id } } })),
    onSuccess: (changed) => queries.setQueryData(runQuery(run.id).queryKey, changed),
  });
  if (stop.isError) return <ProblemNote problem={problemOf(stop.error)} />;
  return (
    <Button
      variant="default"
      leftSection={<IconPlayerStop size={16} />}
      loading={stop.isPending || stop.isSuccess}
      onClick={() => stop.mutate()}
    >
      Stop
    </Button>
  );
}
