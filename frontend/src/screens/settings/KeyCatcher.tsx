/** Waits for the key that an action shall have, and says why it cannot have one. */
import { useEffect, useRef, useState } from "react";

import type { Action } from "@/keys/bindings";
import { isModifier, nameOf, refusal, type KeyChoices } from "@/keys/keymap";

interface Props {
  action: Action;
  label: string;
  choices: KeyChoices;
  onCatch: (key: string) => void;
  onCancel: () => void;
}

export function KeyCatcher({ action, label, choices, onCatch, onCancel }: Props) {
  const [refused, setRefused] = useState<string | null>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => button.current?.focus(), []);
  return (
    <span className="catcher">
      <button
        type="button"
        ref={button}
        className="keyset-key"
        data-catching
        onBlur={onCancel}
        onKeyDown={(event) => {
          // Tab goes on its way, and with it the focus.
          if (event.key === "Tab" || isModifier(event)) return;
          event.preventDefault();
          event.stopPropagation();
          if (event.key === "Escape") {
            onCancel();
            return;
          }
          const why = refusal(action, event, choices);
          const key = nameOf(event);
          setRefused(why);
          if (why === null && key !== null) onCatch(key);
        }}
      >
        Press a key…
        <span className="visually-hidden"> for: {label}. Escape keeps the old one.</span>
      </button>
      {refused !== null && (
        <span role="alert" className="catcher-refused">
          {refused}
        </span>
      )}
    </span>
  );
}
