/** A secret that is shown this once, to be copied. */
import { Button, CopyButton, TextInput } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import type { ReactNode } from "react";

import { Dialog } from "@/parts/Dialog";

import "./accounts.css";

interface Props {
  title: string;
  label: string;
  secret: string | null;
  onClose: () => void;
  children: ReactNode;
}

export function ShownOnce({ title, label, secret, onClose, children }: Props) {
  return (
    <Dialog opened={secret !== null} onClose={onClose} title={title} size="lg">
      <p className="dim dialog-text">{children}</p>
      <div className="once">
        <TextInput
          readOnly
          aria-label={label}
          value={secret ?? ""}
          classNames={{ input: "once-text" }}
          onFocus={(event) => event.currentTarget.select()}
          data-autofocus
        />
        <CopyButton value={secret ?? ""}>
          {({ copied, copy }) => (
            <Button onClick={copy} leftSection={copied ? <IconCheck size={16} /> : <IconCopy size={16} />}>
              {copied ? "Copied" : "Copy"}
            </Button>
          )}
        </CopyButton>
      </div>
    </Dialog>
  );
}
