/** Every key with the action that it does; press another to change it. */
import { Button, Switch } from "@mantine/core";
import { useState } from "react";

import { BINDINGS, type Binding, type Group } from "@/keys/bindings";
import { chooseKey, resetKeys, switchKeys, useKeyChoices } from "@/keys/choices";
import { Keys } from "@/keys/Kbd";
import { shownKeys, type KeyChoices } from "@/keys/keymap";

import { KeyCatcher } from "./KeyCatcher";

const COLUMNS: readonly (readonly Group[])[] = [
  ["Decide", "Select"],
  ["Move", "Go to"],
];

export function KeySettings() {
  const choices = useKeyChoices();
  const changed = Object.keys(choices.keys).length;
  return (
    <>
      <div className="keyset-head">
        <Switch
          checked={choices.on}
          onChange={(event) => switchKeys(event.currentTarget.checked)}
          label="Use single keys"
          description="Off: only the arrows, Esc and Ctrl K do. Keys never act while you type or a dialog is open."
        />
        <Button
          variant="default"
          size="xs"
          style={{ flex: "none" }}
          disabled={changed === 0}
          onClick={resetKeys}
          aria-label="Reset all keys"
        >
          Reset{changed > 0 ? ` ${changed} changed` : ""}
        </Button>
      </div>
      <div className="keyset" data-off={!choices.on || undefined}>
        {COLUMNS.map((groups) => (
          <div key={groups.join()}>
            {groups.map((group) => (
              <section key={group}>
                <h3>{group}</h3>
                <ul>
                  {BINDINGS.filter((binding) => binding.group === group).map((binding) => (
                    <Row key={binding.action} binding={binding} choices={choices} />
                  ))}
                </ul>
              </section>
            ))}
          </div>
        ))}
      </div>
    </>
  );
}

function Row({ binding, choices }: { binding: Binding; choices: KeyChoices }) {
  const [catching, setCatching] = useState(false);
  const { action, label, key, fixed } = binding;
  const own = choices.keys[action] !== undefined;
  const ways = shownKeys(binding, { ...choices, on: true });
  return (
    <li className="keyset-row">
      <span className="keyset-label">{label}</span>
      {catching ? (
        <KeyCatcher
          action={action}
          label={label}
          choices={choices}
          onCatch={(caught) => {
            chooseKey(action, caught);
            setCatching(false);
          }}
          onCancel={() => setCatching(false)}
        />
      ) : (
        <>
          {ways.slice(key === null ? 0 : 1).map((keys) => (
            <Keys key={keys.join()} keys={keys} whole />
          ))}
          {key !== null && (
            <button
              type="button"
              className="keyset-key"
              data-own={own || undefined}
              aria-label={`${label}: ${(ways[0] ?? []).join(" ")}. Change`}
              onClick={() => setCatching(true)}
            >
              <Keys keys={ways[0] ?? []} whole />
            </button>
          )}
          {key === null && fixed.length > 0 && <span className="faint keyset-fixed">fixed</span>}
        </>
      )}
    </li>
  );
}
