/** Find and do anything by typing: screens, datasets, audits, actions with their keys. */
import { Combobox, TextInput, useCombobox } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useEffect, useState } from "react";

import { Keys } from "@/keys/Kbd";
import { Dialog } from "@/parts/Dialog";

import { matching } from "./match";
import { useEntries, type PaletteEntry } from "./useEntries";
import "./palette.css";

const GROUPS: readonly PaletteEntry["group"][] = ["Actions", "Screens", "Datasets", "Audits"];
/** More of a group than these come into sight by typing. */
const SHOWN = { untyped: 6, typed: 12 };

export function Palette({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Dialog
      opened={opened}
      onClose={onClose}
      withCloseButton={false}
      padding={0}
      size={620}
      yOffset="12vh"
      centered={false}
      title="Search screens, datasets, actions"
      classNames={{ header: "visually-hidden" }}
    >
      <Search onClose={onClose} />
    </Dialog>
  );
}

function Search({ onClose }: { onClose: () => void }) {
  const [typed, setTyped] = useState("");
  const entries = useEntries();
  const found = matching(entries, typed);
  const groups = GROUPS.map((name) => {
    const all = found.filter(({ group }) => group === name);
    const most = name === "Screens" ? all.length : typed.trim() === "" ? SHOWN.untyped : SHOWN.typed;
    return { name, all, shown: all.slice(0, most) };
  }).filter(({ all }) => all.length > 0);
  if (typed.trim() !== "") {
    // The best fit first, whatever it is.
    const place = ({ all }: { all: PaletteEntry[] }) => (all[0] ? found.indexOf(all[0]) : found.length);
    groups.sort((a, b) => place(a) - place(b));
  }
  const store = useCombobox({ opened: true });
  const { selectFirstOption } = store;
  useEffect(() => {
    selectFirstOption();
  }, [typed, selectFirstOption]);

  function submit(id: string) {
    onClose();
    // Once the dialog is gone, so that the action finds the screen's keys and focus as they were.
    requestAnimationFrame(() => entries.find((entry) => entry.id === id)?.run());
  }
  return (
    <Combobox store={store} onOptionSubmit={submit}>
      <Combobox.EventsTarget withExpandedAttribute>
        <TextInput
          data-autofocus
          variant="unstyled"
          size="md"
          className="palette-input"
          aria-label="Search screens, datasets, actions"
          placeholder="Go to, or do…"
          leftSection={<IconSearch size={17} stroke={1.75} />}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === "Escape") onClose();
          }}
        />
      </Combobox.EventsTarget>
      <Combobox.Options className="palette-list" aria-label="Found">
        {groups.map(({ name, all, shown }) => (
          <Combobox.Group key={name} label={name}>
            {shown.map((entry) => (
              <Combobox.Option value={entry.id} key={entry.id} className="palette-entry">
                <span className="palette-label">{entry.label}</span>
                {entry.detail !== undefined && <span className="palette-detail">{entry.detail}</span>}
                {entry.keys && entry.keys.length > 0 && <Keys keys={entry.keys} whole />}
              </Combobox.Option>
            ))}
            {all.length > shown.length && (
              <Combobox.Option value="" disabled className="palette-more">
                {all.length - shown.length} more: type to find them
              </Combobox.Option>
            )}
          </Combobox.Group>
        ))}
        {groups.length === 0 && (
          <Combobox.Option value="" disabled className="palette-more">
            Nothing is called like that.
          </Combobox.Option>
        )}
      </Combobox.Options>
    </Combobox>
  );
}
