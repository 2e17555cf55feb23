/** Sets the account's password; the old one is asked for unless one came by a one-time code just now. */
import { Button, PasswordInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type SyntheticEvent } from "react";

import { sessions as sessionsQuery } from "@/accounts/queries";
import { answer, client, problemOf } from "@/api/client";
import { ProblemNote } from "@/parts/States";
import "@/accounts/accounts.css";

const SHORTEST = 10;

export function Password() {
  const needed = useQuery(sessionsQuery).data?.password_needed ?? false;
  const queries = useQueryClient();
  const [current, setCurrent] = useState("");
  const [password, setPassword] = useState("");
  const set = useMutation({
    mutationFn: () =>
      answer(client.PUT("/api/session/password", { body: { password, current: needed ? current : null } })),
    onSuccess: async () => {
      setCurrent("");
      setPassword("");
      await queries.invalidateQueries({ queryKey: sessionsQuery.queryKey });
    },
  });
  const complete = password.length >= SHORTEST && (!needed || current !== "");
  function submit(event: SyntheticEvent) {
    event.preventDefault();
    if (complete) set.mutate();
  }
  return (
    <>
      <form className="people-form" onSubmit={submit}>
        <PasswordInput
          label="New password"
          description={`At least ${SHORTEST} characters. All other browsers are signed out.`}
          size="sm"
          maxLength={1024}
          autoComplete="new-password"
          value={password}
          onChange={(event) => {
            set.reset();
            setPassword(event.currentTarget.value);
          }}
        />
        {needed && (
          <PasswordInput
            label="Current password"
            size="sm"
            w={200}
            maxLength={1024}
            autoComplete="current-password"
            value={current}
            onChange={(event) => setCurrent(event.currentTarget.value)}
          />
        )}
        <Button type="submit" variant="default" loading={set.isPending} disabled={!complete}>
          Set the password
        </Button>
      </form>
      {set.isError && <ProblemNote problem={problemOf(set.error)} />}
      <p role="status" className="dim people-text" style={{ margin: set.isSuccess ? "12px 0 0" : 0 }}>
        {set.isSuccess ? "The password is set." : ""}
      </p>
    </>
  );
}
