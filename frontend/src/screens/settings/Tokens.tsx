/** Tokens of scripts: made, shown once, revoked. */
import { Button } from "@mantine/core";
import { IconKey, IconTrash } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { answer, client, problemOf, type Schemas } from "@/api/client";
import { tokens as tokensQuery } from "@/api/queries";
import { Dialog } from "@/parts/Dialog";
import { ago, date } from "@/parts/format";
import { ErrorState, Loading, ProblemNote } from "@/parts/States";

import { NewToken } from "./NewToken";
import "@/accounts/accounts.css";

type Token = Schemas["TokenAnswer"];

export function Tokens() {
  const asked = useQuery(tokensQuery);
  const [revoking, setRevoking] = useState<Token | null>(null);
  if (asked.isError) return <ErrorState error={asked.error} retry={() => void asked.refetch()} />;
  if (asked.isPending) return <Loading rows={2} height={32} />;
  return (
    <>
      {asked.data.length === 0 ? (
        <p className="dim tokens-none">
          <IconKey size={15} stroke={1.75} aria-hidden /> No token yet. A script sends one as{" "}
          <code>Authorization: Bearer …</code>, the command line reads it from <code>NOISE_AUDIT_TOKEN</code>.
        </p>
      ) : (
        <table className="people tokens">
          <caption className="visually-hidden">API tokens</caption>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">May</th>
              <th scope="col">Made</th>
              <th scope="col">Last used</th>
              <th scope="col">Expires</th>
              <th scope="col">
                <span className="visually-hidden">Revoke</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {asked.data.map((token) => (
              <tr key={token.id}>
                <th scope="row">{token.name}</th>
                <td className="dim">{token.scope}</td>
                <td className="dim">{ago(token.created_at)}</td>
                <td className="dim">{token.seen_at === null ? "never" : ago(token.seen_at)}</td>
                <td className="dim">{token.expires_at === null ? "never" : date(token.expires_at)}</td>
                <td>
                  <Button
                    size="compact-xs"
                    variant="subtle"
                    color="red"
                    leftSection={<IconTrash size={14} stroke={1.75} />}
                    aria-label={`Revoke ${token.name}`}
                    onClick={() => setRevoking(token)}
                  >
                    Revoke
                  </Button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <NewToken />
      <Revoke token={revoking} onClose={() => setRevoking(null)} />
    </>
  );
}

function Revoke({ token, onClose }: { token: Token | null; onClose: () => void }) {
  const queries = useQueryClient();
  const revoke = useMutation({
    mutationFn: (token_id: string) =>
      answer(client.DELETE("/api/tokens/{token_id}", { params: { path: { token_id } } })),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: tokensQuery.queryKey });
      onClose();
    },
  });
  return (
    <Dialog opened={token !== null} onClose={onClose} title={`Revoke “${token?.name ?? ""}”?`} size="sm">
      <p className="dim dialog-text">Whatever uses it is refused from now on. This cannot be undone.</p>
      {revoke.isError && <ProblemNote problem={problemOf(revoke.error)} />}
      <div className="dialog-actions">
        <Button variant="default" onClick={onClose} data-autofocus>
          Leave it
        </Button>
        <Button color="red.9" loading={revoke.isPending} onClick={() => token && revoke.mutate(token.id)}>
          Revoke
        </Button>
      </div>
    </Dialog>
  );
}
