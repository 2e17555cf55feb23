/** Who may work on a dataset: everybody who sees it sees this, its owners change it. */
import { Button, Select } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { members as membersQuery, type DatasetRole } from "@/accounts/queries";
import { DATASET_ROLES } from "@/accounts/words";
import { answer, client, problemOf, type Schemas } from "@/api/client";
import { NamedForm } from "@/parts/NamedForm";
import { Card } from "@/parts/Page";
import { Loading, ProblemNote } from "@/parts/States";
import "@/accounts/accounts.css";

type Put = Schemas["MemberPut"];

export function Members({ datasetId }: { datasetId: string }) {
  const asked = useQuery(membersQuery(datasetId));
  const queries = useQueryClient();
  const path = { dataset_id: datasetId };
  const again = () => queries.invalidateQueries({ queryKey: membersQuery(datasetId).queryKey });
  const put = useMutation({
    mutationFn: (body: Put) =>
      answer(client.PUT("/api/datasets/{dataset_id}/members", { params: { path }, body })),
    onSettled: again,
  });
  const remove = useMutation({
    mutationFn: (account_id: string) =>
      answer(
        client.DELETE("/api/datasets/{dataset_id}/members/{account_id}", {
          params: { path: { ...path, account_id } },
        }),
      ),
    onSettled: again,
  });
  const failed = asked.error ?? put.error ?? remove.error;
  const owns = asked.data?.may.includes("members") ?? false;
  return (
    <Card title="Members">
      {asked.isPending && <Loading rows={1} />}
      <table className="people">
        <caption className="visually-hidden">Members</caption>
        <thead className="visually-hidden">
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Role</th>
            <th scope="col">Remove</th>
          </tr>
        </thead>
        <tbody>
          {asked.data?.items.map(({ account_id, name, role }, place) => (
            <tr key={account_id}>
              <th scope="row">{name}</th>
              <td className="dim">
                {owns && place > 0 ? (
                  <Select
                    aria-label={`Role of ${name}`}
                    size="xs"
                    w={104}
                    data={DATASET_ROLES}
                    value={role}
                    allowDeselect={false}
                    onChange={(chosen) => chosen && put.mutate({ name, role: chosen })}
                  />
                ) : (
                  DATASET_ROLES.find(({ value }) => value === role)?.label
                )}
              </td>
              <td>
                {owns && place > 0 && (
                  <Button
                    size="compact-xs"
                    variant="subtle"
                    color="red"
                    aria-label={`Take off ${name}`}
                    onClick={() => remove.mutate(account_id)}
                  >
                    Take off
                  </Button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {failed && <ProblemNote problem={problemOf(failed)} />}
      {owns && <NewMember add={(body) => put.mutateAsync(body)} pending={put.isPending} />}
    </Card>
  );
}

function NewMember({ add, pending }: { add: (body: Put) => Promise<unknown>; pending: boolean }) {
  const [role, setRole] = useState<DatasetRole>("reviewer");
  return (
    <NamedForm
      className="people-form"
      label="Add a member"
      placeholder="Account name"
      action="Add"
      size="xs"
      pending={pending}
      onSubmit={(name) => add({ name, role })}
    >
      <Select
        label="Role"
        size="xs"
        w={110}
        data={DATASET_ROLES}
        value={role}
        allowDeselect={false}
        onChange={(value) => setRole(value ?? "reviewer")}
      />
    </NamedForm>
  );
}
