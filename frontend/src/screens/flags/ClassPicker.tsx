/** Choose a class by typing: in a dialog to relabel, under a chip to filter. */
import { TextInput } from "@mantine/core";
import { useState } from "react";

import { Dialog } from "@/parts/Dialog";

const SHOWN = 60;

interface ListProps {
  classes: string[];
  onPick: (label: number) => void;
}

export function ClassList({ classes, onPick }: ListProps) {
  const [text, setText] = useState("");
  const wanted = text.trim().toLowerCase();
  const matches = classes
    .map((name, label) => ({ name, label }))
    .filter(({ name }) => name.toLowerCase().includes(wanted))
    .sort(
      (a, b) =>
        Number(b.name.toLowerCase().startsWith(wanted)) - Number(a.name.toLowerCase().startsWith(wanted)),
    );
  const [first] = matches;
  const shown = matches.slice(0, SHOWN);
  return (
    <div className="classlist">
      <TextInput
        placeholder="Type a class"
        aria-label="Type a class"
        size="sm"
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        data-autofocus
        onKeyDown={(event) => {
          if (event.key === "Enter" && first) {
            event.preventDefault();
            onPick(first.label);
          }
          // Typing means nothing to the screen; Escape closes what the list is in.
          if (event.key !== "Escape") event.stopPropagation();
        }}
      />
      <div className="classlist-items">
        {shown.map(({ name, label }, position) => (
          <button
            type="button"
            key={label}
            className="classlist-item"
            data-first={position === 0 || undefined}
            onClick={() => onPick(label)}
          >
            {name}
          </button>
        ))}
        {matches.length === 0 && <div className="faint classlist-none">No class is called like that.</div>}
        {matches.length > shown.length && (
          <div className="faint classlist-none">{matches.length - shown.length} more: type to find them.</div>
        )}
      </div>
    </div>
  );
}

interface PickerProps extends ListProps {
  opened: boolean;
  title: string;
  onClose: () => void;
}

export function ClassPicker({ opened, title, onClose, ...list }: PickerProps) {
  return (
    <Dialog opened={opened} onClose={onClose} title={title} size="sm">
      <ClassList {...list} />
    </Dialog>
  );
}
