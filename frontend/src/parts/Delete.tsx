/** Deletes a dataset or an audit for good, after saying what that frees and what goes with it. */
import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { answer, client, problemOf, type Schemas } from "@/api/client";
import { Dialog, type DialogProps } from "./Dialog";
import { bytes, many } from "./format";
import { Loading, ProblemNote } from "./States";

type Freed = Schemas["DeletionAnswer"];
type Kind = "dataset" | "audit";

const costOf = (kind: Kind, id: string) =>
  kind === "dataset"
    ? client.GET("/api/datasets/{dataset_id}/deletion", { params: { path: { dataset_id: id } } })
    : client.GET("/api/runs/{run_id}/deletion", { params: { path: { run_id: id } } });

const remove = (kind: Kind, id: string) =>
  kind === "dataset"
    ? client.DELETE("/api/datasets/{dataset_id}", { params: { path: { dataset_id: id } } })
    : client.DELETE("/api/runs/{run_id}", { params: { path: { run_id: id } } });

interface Props extends DialogProps {
  kind: Kind;
  id: string;
  name: string;
  /** Where to go once it is gone. */
  after: () => Promise<void>;
}

export function Delete({ kind, id, name, after, opened, onClose }: Props) {
  const queries = useQueryClient();
  const cost = useQuery({
    queryKey: ["deletion", kind, id],
    queryFn: () => answer<Freed>(costOf(kind, id)),
    enabled: opened,
    // What is announced is what goes: asked anew each time.
    gcTime: 0,
  });
  const deletion = useMutation({
    mutationFn: () => answer<Freed>(remove(kind, id)),
    onSuccess: async () => {
      onClose();
      // Away first: this page would ask for what is gone.
      await after();
      void queries.invalidateQueries();
    },
  });
  return (
    <Dialog opened={opened} onClose={onClose} title={`Delete “${name}”?`} size="md">
      {cost.isPending && <Loading rows={2} height={24} />}
      {cost.isError && <ProblemNote problem={problemOf(cost.error)} />}
      {cost.isSuccess && <Cost kind={kind} freed={cost.data} />}
      {deletion.isError && <ProblemNote problem={problemOf(deletion.error)} />}
      <div className="dialog-actions">
        <Button variant="default" onClick={onClose} data-autofocus>
          Leave it
        </Button>
        <Button
          color="red.9"
          loading={deletion.isPending}
          disabled={!cost.isSuccess}
          onClick={() => deletion.mutate()}
        >
          Delete for good
        </Button>
      </div>
    </Dialog>
  );
}

function Cost({ kind, freed }: { kind: Kind; freed: Freed }) {
  return (
    <div className="dialog-text dim">
      <p>
        Frees {bytes(freed.row_bytes + freed.artifact_bytes)}: {many(freed.rows, "row")} of the database and
        the files that belong to them. This cannot be undone.
      </p>
      {kind === "audit" && <p>Decisions made in it belong to the dataset and stay.</p>}
      {freed.runs + freed.decisions > 0 && kind === "dataset" && (
        <p>
          With it go {many(freed.runs, "audit")} and {many(freed.decisions, "decision")}. Export what you want
          to keep first.
        </p>
      )}
      {freed.shared_with > 0 && (
        <p>
          Its images stay: {many(freed.shared_with, "other dataset")} with the same images{" "}
          {freed.shared_with === 1 ? "remains" : "remain"}.
        </p>
      )}
    </div>
  );
}
