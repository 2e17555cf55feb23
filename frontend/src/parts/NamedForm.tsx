/** One line that makes something with a name: the name, what else is chosen, a button. */
import { Button, TextInput } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useState, type ReactNode, type SyntheticEvent } from "react";

interface Props {
  label: string;
  placeholder: string;
  action: string;
  pending: boolean;
  /** Fails where nothing was made: the name then stays, to be mended; the caller says why. */
  onSubmit: (name: string) => Promise<unknown>;
  className: string;
  size?: "xs" | "sm";
  children: ReactNode;
}

export function NamedForm({
  label,
  placeholder,
  action,
  pending,
  onSubmit,
  className,
  size = "sm",
  children,
}: Props) {
  const [text, setText] = useState("");
  const name = text.trim();
  function submit(event: SyntheticEvent) {
    event.preventDefault();
    if (name === "") return;
    onSubmit(name).then(
      () => setText(""),
      () => undefined,
    );
  }
  return (
    <form className={className} onSubmit={submit}>
      <TextInput
        label={label}
        placeholder={placeholder}
        size={size}
        maxLength={128}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      {children}
      <Button
        type="submit"
        size={size}
        variant="default"
        leftSection={<IconPlus size={size === "xs" ? 14 : 16} />}
        loading={pending}
        disabled={name === ""}
      >
        {action}
      </Button>
    </form>
  );
}
