/** Makes a token and shows it, this once. */
import { Select } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { ShownOnce } from "@/accounts/ShownOnce";
import { answer, client, problemOf, type Schemas } from "@/api/client";
import { tokens as tokensQuery } from "@/api/queries";
import { NamedForm } from "@/parts/NamedForm";
import { ProblemNote } from "@/parts/States";

const LIVES = [
  { value: "30", label: "30 days" },
  { value: "90", label: "90 days" },
  { value: "365", label: "a year" },
  { value: "never", label: "never" },
];

type Scope = NonNullable<Schemas["TokenCreate"]["scope"]>;

const SCOPES: { value: Scope; label: string }[] = [
  { value: "read", label: "read" },
  { value: "decide", label: "read and decide" },
  { value: "full", label: "all that you may" },
];

export function NewToken() {
  const queries = useQueryClient();
  const [life, setLife] = useState("90");
  const [scope, setScope] = useState<Scope>("read");
  const make = useMutation({
    mutationFn: (name: string) =>
      answer(
        client.POST("/api/tokens", {
          body: { name, days: life === "never" ? null : Number(life), scope },
        }),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: tokensQuery.queryKey }),
  });
  const made = make.data?.token ?? null;
  return (
    <>
      <NamedForm
        className="token-form"
        label="Name"
        placeholder="What it is for"
        action="Make a token"
        pending={make.isPending}
        onSubmit={make.mutateAsync}
      >
        <Select
          label="May"
          size="sm"
          data={SCOPES}
          value={scope}
          allowDeselect={false}
          onChange={(value) => setScope(value ?? "read")}
        />
        <Select
          label="Expires after"
          size="sm"
          data={LIVES}
          value={life}
          allowDeselect={false}
          onChange={(value) => setLife(value ?? "90")}
        />
      </NamedForm>
      {make.isError && <ProblemNote problem={problemOf(make.error)} />}
      <ShownOnce title="Copy the token now" label="The token" secret={made} onClose={make.reset}>
        It is kept as a fingerprint only, so this is the one time it is shown.
      </ShownOnce>
    </>
  );
}
