/** Makes a token and shows it, this once. */
import { Button, Select, TextInput } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type SyntheticEvent } from "react";

import { ShownOnce } from "@/accounts/ShownOnce";
import { answer, client, problemOf, type Schemas } from "@/api/client";
import { tokens as tokensQuery } from "@/api/queries";
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
  const [name, setName] = useState("");
  const [life, setLife] = useState("90");
  const [scope, setScope] = useState<Scope>("read");
  const make = useMutation({
    mutationFn: () =>
      answer(
        client.POST("/api/tokens", {
          body: { name: name.trim(), days: life === "never" ? null : Number(life), scope },
        }),
      ),
    onSuccess: async () => {
      setName("");
      await queries.invalidateQueries({ queryKey: tokensQuery.queryKey });
    },
  });
  const made = make.data?.token ?? null;
  function submit(event: SyntheticEvent) {
    event.preventDefault();
    if (name.trim() !== "") make.mutate();
  }
  return (
    <>
      <form className="token-form" onSubmit={submit}>
        <TextInput
          label="Name"
          placeholder="What it is for"
          size="sm"
          maxLength={128}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
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
        <Button
          type="submit"
          variant="default"
          leftSection={<IconPlus size={16} />}
          loading={make.isPending}
          disabled={name.trim() === ""}
        >
          Make a token
        </Button>
      </form>
      {make.isError && <ProblemNote problem={problemOf(make.error)} />}
      <ShownOnce title="Copy the token now" label="The token" secret={made} onClose={make.reset}>
        It is kept as a fingerprint only, so this is the one time it is shown.
      </ShownOnce>
    </>
  );
}
