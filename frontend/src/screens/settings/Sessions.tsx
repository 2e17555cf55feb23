/** The browsers that are signed in to this account; each can be signed out. */
import { Button } from "@mantine/core";
import { IconLogout } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { sessions as sessionsQuery } from "@/accounts/queries";
import { browserWords } from "@/accounts/words";
import { answer, client, problemOf } from "@/api/client";
import { ago } from "@/parts/format";
import { ErrorState, Loading, ProblemNote } from "@/parts/States";
import "@/accounts/accounts.css";

export function Sessions() {
  const asked = useQuery(sessionsQuery);
  const queries = useQueryClient();
  const end = useMutation({
    mutationFn: (session_id: string | null) =>
      session_id === null
        ? answer(client.DELETE("/api/sessions"))
        : answer(client.DELETE("/api/sessions/{session_id}", { params: { path: { session_id } } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: sessionsQuery.queryKey }),
  });
  if (asked.isError) return <ErrorState error={asked.error} retry={() => void asked.refetch()} />;
  if (asked.isPending) return <Loading rows={2} height={32} />;
  const { items } = asked.data;
  return (
    <>
      <table className="people">
        <caption className="visually-hidden">Signed-in browsers</caption>
        <thead>
          <tr>
            <th scope="col">Browser</th>
            <th scope="col">Signed in</th>
            <th scope="col">Last used</th>
            <th scope="col">
              <span className="visually-hidden">Sign out</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {items.map((session) => (
            <tr key={session.id}>
              <th scope="row">
                {browserWords(session.browser)}
                {session.current && <span className="dim people-mark">this one</span>}
              </th>
              <td className="dim">{ago(session.created_at)}</td>
              <td className="dim">{ago(session.seen_at)}</td>
              <td>
                {!session.current && (
                  <Button
                    size="compact-xs"
                    variant="subtle"
                    color="red"
                    leftSection={<IconLogout size={14} stroke={1.75} />}
                    aria-label={`Sign out ${browserWords(session.browser)}, signed in ${ago(session.created_at)}`}
                    onClick={() => end.mutate(session.id)}
                  >
                    Sign out
                  </Button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {end.isError && <ProblemNote problem={problemOf(end.error)} />}
      {items.length > 1 && (
        <Button variant="default" size="compact-sm" loading={end.isPending} onClick={() => end.mutate(null)}>
          Sign out all others
        </Button>
      )}
    </>
  );
}
