/** Accounts, for admins: added, given a role, shut and opened, let in by a one-time code. */
import { Button, Select } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { accounts as accountsQuery, type AccountRole } from "@/accounts/queries";
import { ShownOnce } from "@/accounts/ShownOnce";
import { ACCOUNT_ROLES } from "@/accounts/words";
import { answer, client, problemOf, type Schemas } from "@/api/client";
import { NamedForm } from "@/parts/NamedForm";
import { ErrorState, Loading, ProblemNote } from "@/parts/States";
import "@/accounts/accounts.css";

type Kept = Schemas["KeptAccount"];
type Change = Schemas["AccountChange"];

export function Accounts() {
  const asked = useQuery(accountsQuery);
  const queries = useQueryClient();
  const again = () => queries.invalidateQueries({ queryKey: accountsQuery.queryKey });
  const change = useMutation({
    mutationFn: ({ id, ...body }: Change & { id: string }) =>
      answer(client.PATCH("/api/accounts/{account_id}", { params: { path: { account_id: id } }, body })),
    onSettled: again,
  });
  const code = useMutation({
    mutationFn: (account: Kept) =>
      answer(
        client.POST("/api/accounts/{account_id}/code", { params: { path: { account_id: account.id } } }),
      ),
  });
  if (asked.isError) return <ErrorState error={asked.error} retry={() => void asked.refetch()} />;
  if (asked.isPending) return <Loading rows={3} height={32} />;
  const failed = change.error ?? code.error;
  return (
    <>
      <table className="people">
        <caption className="visually-hidden">Accounts</caption>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Role</th>
            <th scope="col">
              <span className="visually-hidden">Let in, shut</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {asked.data.items.map((account) => (
            <tr key={account.id}>
              <th scope="row">
                {account.name}
                {account.disabled && <span className="dim people-mark">shut</span>}
                {!account.disabled && !account.has_password && (
                  <span className="dim people-mark">no password</span>
                )}
              </th>
              <td>
                <Select
                  aria-label={`Role of ${account.name}`}
                  size="xs"
                  w={130}
                  data={ACCOUNT_ROLES}
                  value={account.role}
                  allowDeselect={false}
                  disabled={account.disabled}
                  onChange={(role) => role && change.mutate({ id: account.id, role })}
                />
              </td>
              <td>
                <Button
                  size="compact-xs"
                  variant="subtle"
                  aria-label={`One-time code for ${account.name}`}
                  disabled={account.disabled}
                  onClick={() => code.mutate(account)}
                >
                  One-time code
                </Button>
                <Button
                  size="compact-xs"
                  variant="subtle"
                  color={account.disabled ? undefined : "red"}
                  aria-label={`${account.disabled ? "Open" : "Shut"} ${account.name}`}
                  onClick={() => change.mutate({ id: account.id, disabled: !account.disabled })}
                >
                  {account.disabled ? "Open" : "Shut"}
                </Button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {failed && <ProblemNote problem={problemOf(failed)} />}
      <NewAccount onMade={again} />
      <ShownOnce
        title={`Hand this to ${code.variables?.name ?? ""}`}
        label="The address with the code"
        secret={code.data ? `${window.location.origin}/#code=${code.data.code}` : null}
        onClose={code.reset}
      >
        It signs in once, within {code.data?.hours} hours; then a password can be set in Settings. It is not
        shown again.
      </ShownOnce>
    </>
  );
}

function NewAccount({ onMade }: { onMade: () => Promise<void> }) {
  const [role, setRole] = useState<AccountRole>("reviewer");
  const make = useMutation({
    mutationFn: (name: string) => answer(client.POST("/api/accounts", { body: { name, role } })),
    onSuccess: onMade,
  });
  return (
    <>
      <NamedForm
        className="people-form"
        label="New account"
        placeholder="Name to sign in with"
        action="Add"
        pending={make.isPending}
        onSubmit={make.mutateAsync}
      >
        <Select
          label="Role"
          size="sm"
          w={150}
          data={ACCOUNT_ROLES}
          value={role}
          allowDeselect={false}
          onChange={(value) => setRole(value ?? "reviewer")}
        />
      </NamedForm>
      <p className="dim people-text" style={{ margin: "10px 0 0" }}>
        {ACCOUNT_ROLES.find(({ value }) => value === role)?.says} The first sign-in is by a one-time code.
      </p>
      {make.isError && <ProblemNote problem={problemOf(make.error)} />}
    </>
  );
}
