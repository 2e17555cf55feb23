/** The list of keys, as the key map has them. */
import { Modal } from "@mantine/core";

import { BINDINGS, type Binding } from "./keymap";
import { useKeysOff } from "./useKeys";

const COLUMNS: Binding["group"][][] = [["Decide"], ["Move", "Go to"]];

export function KeyHelp({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  useKeysOff(opened);
  return (
    <Modal opened={opened} onClose={onClose} title="Keys" size="lg">
      <div className="keyhelp">
        {COLUMNS.map((groups) => (
          <div key={groups.join()}>
            {groups.map((group) => (
              <section key={group}>
                <h3>{group}</h3>
                {rowsOf(group).map(({ label, shown }) => (
                  <div className="keyhelp-row" key={label}>
                    <span>{label}</span>
                    <span>
                      {shown.map((key) => (
                        <Kbd key={key}>{key}</Kbd>
                      ))}
                    </span>
                  </div>
                ))}
              </section>
            ))}
          </div>
        ))}
      </div>
    </Modal>
  );
}

export function Kbd({ children }: { children: string }) {
  return <kbd className="kbd">{children}</kbd>;
}

function rowsOf(group: Binding["group"]): { label: string; shown: string[] }[] {
  const rows = BINDINGS.filter((binding) => binding.group === group && !/^likely[2-9]$/.test(binding.action));
  return rows.map(({ action, label, shown }) =>
    action === "likely1"
      ? { label: "Relabel to the n-th likely class", shown: ["1", "…", "9"] }
      : { label, shown },
  );
}
