/** Makes a token and shows it, this once. */
import { Button, CopyButton, Modal, Select, TextInput } from "@mantine/core";
import { IconCheck, IconCopy, IconPlus } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type SyntheticEvent } from "react";

import { answer, client, problemOf } from "@/api/client";
import { tokens as tokensQuery } from "@/api/queries";
import { useKeysOff } from "@/keys/useKeys";
import { ProblemNote } from "@/parts/States";

const LIVES = [
  { value: "30", label: "30 days" },
  { value: "90", label: "90 days" },
  { value: "365", label: "a year" },
  { value: "never", label: "never" },
];

export function NewToken() {
  const queries = useQueryClient();
  const [name, setName] = useState("");
  const [life, setLife] = useState("90");
  const make = useMutation({
    mutationFn: () =>
      answer(
        client.POST("/api/tokens", {
          body: { name: name.trim(), days: life === "never" ? null : Number(life) },
        }),
      ),
    onSuccess: async () => {
      setName("");
      await queries.invalidateQueries({ queryKey: tokensQuery.queryKey });
    },
  });
  const made = make.data?.token ?? null;
  useKeysOff(made !== null);
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
      <Modal opened={made !== null} onClose={make.reset} title="Copy the token now" size="lg">
        <p className="dim dialog-text">
          It is kept as a fingerprint only, so this is the one time it is shown.
        </p>
        <div className="token-once">
          <TextInput
            readOnly
            aria-label="The token"
            value={made ?? ""}
            classNames={{ input: "token-text" }}
            onFocus={(event) => event.currentTarget.select()}
            data-autofocus
          />
          <CopyButton value={made ?? ""}>
            {({ copied, copy }) => (
              <Button onClick={copy} leftSection={copied ? <IconCheck size={16} /> : <IconCopy size={16} />}>
                {copied ? "Copied" : "Copy"}
              </Button>
            )}
          </CopyButton>
        </div>
      </Modal>
    </>
  );
}
