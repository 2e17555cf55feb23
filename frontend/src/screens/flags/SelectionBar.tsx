/** What can be done with the selected samples; the number announced is the number changed. */
import { CloseButton } from "@mantine/core";
import { IconTag } from "@tabler/icons-react";

import { DecisionButtons } from "@/decisions/DecisionButtons";
import { many } from "@/parts/format";

interface Props {
  selected: number;
  onKeep: () => void;
  onAccept: () => void;
  onRemove: () => void;
  onUnsure: () => void;
  onRelabel: () => void;
  onClear: () => void;
}

export function SelectionBar({ selected, onRelabel, onClear, ...verdicts }: Props) {
  return (
    <div className="selection" role="toolbar" aria-label="Selected samples">
      <strong className="number">{many(selected, "sample")} selected</strong>
      <DecisionButtons suggestion="Accept suggestions" {...verdicts}>
        <button
          type="button"
          className="decide"
          onMouseDown={(event) => event.preventDefault()}
          onClick={onRelabel}
        >
          <IconTag size={15} stroke={2} aria-hidden style={{ color: "var(--na-relabel)" }} />
          <span className="decide-word">Relabel…</span>
        </button>
      </DecisionButtons>
      <CloseButton aria-label="Clear the selection" onClick={onClear} />
    </div>
  );
}
