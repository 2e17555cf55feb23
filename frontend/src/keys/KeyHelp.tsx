/** The list of keys as they are now, with the way to change them. */
import { Link } from "@tanstack/react-router";

import { Dialog } from "@/parts/Dialog";

import { BINDINGS, type Group } from "./bindings";
import { useKeyChoices } from "./choices";
import { Keys } from "./Kbd";
import { shownKeys, type KeyChoices } from "./keymap";

const COLUMNS: Group[][] = [
  ["Decide", "Select"],
  ["Move", "Go to"],
];

export function KeyHelp({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const choices = useKeyChoices();
  return (
    <Dialog opened={opened} onClose={onClose} title="Keys" size="xl">
      {!choices.on && <p className="keyhelp-off">Single keys are switched off. These still work:</p>}
      <div className="keyhelp">
        {COLUMNS.map((groups) => (
          <div key={groups.join()}>
            {groups.map((group) => (
              <KeyGroup key={group} group={group} choices={choices} />
            ))}
          </div>
        ))}
      </div>
      <p className="keyhelp-foot dim">
        Keys do nothing while you type or a dialog is open.{" "}
        <Link to="/settings" hash="keys" onClick={onClose}>
          Change them
        </Link>
      </p>
    </Dialog>
  );
}

function KeyGroup({ group, choices }: { group: Group; choices: KeyChoices }) {
  const rows = rowsOf(group, choices);
  if (rows.length === 0) return null;
  return (
    <section>
      <h3>{group}</h3>
      <dl>
        {rows.map(({ label, ways }) => (
          <div className="keyhelp-row" key={label}>
            <dt>{label}</dt>
            <dd>
              {ways.map((keys) => (
                <Keys key={keys.join()} keys={keys} whole />
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

interface Row {
  label: string;
  ways: string[][];
}

/** Nine likely classes in one row, as long as their keys are the nine digits. */
function rowsOf(group: Group, choices: KeyChoices): Row[] {
  const plain = [1, 2, 3, 4, 5, 6, 7, 8, 9].every(
    (n) => choices.keys[`likely${n}` as keyof KeyChoices["keys"]] === undefined,
  );
  return BINDINGS.filter(
    ({ group: of, action }) => of === group && action !== "lead" && !(plain && /^likely[2-9]$/.test(action)),
  )
    .map((binding) => ({ binding, ways: shownKeys(binding, choices) }))
    .filter(({ ways }) => ways.length > 0)
    .map(({ binding, ways }) =>
      plain && binding.action === "likely1"
        ? { label: "Relabel to the n-th likely class", ways: [["1", "…", "9"]] }
        : { label: binding.label, ways },
    );
}
