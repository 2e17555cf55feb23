/** What can be done with the selected samples; the number announced is the number changed. */
import { CloseButton, Loader } from "@mantine/core";
import { IconTag } from "@tabler/icons-react";

import { DecisionButtons } from "@/decisions/DecisionButtons";
import type { Verdict } from "@/decisions/verdicts";
import { KeyOf } from "@/keys/Kbd";
import { many } from "@/parts/format";

interface Props {
  selected: number;
  busy: boolean;
  /** Why they cannot be decided at once; null when they can. */
  tooMany: string | null;
  onDecide: (verdict: Verdict) => void;
  onRelabel: () => void;
  onClear: () => void;
}

export function SelectionBar({ selected, busy, tooMany, onDecide, onRelabel, onClear }: Props) {
  return (
    <div className="selection" role="toolbar" aria-label="Selected samples" aria-busy={busy}>
      <strong className="number">{many(selected, "sample")} selected</strong>
      {tooMany !== null ? (
        <span className="selection-many" role="alert">
          {tooMany}
        </span>
      ) : (
        <DecisionButtons
          suggestion="Accept suggestions"
          onKeep={() => onDecide("keep")}
          onAccept={() => onDecide("relabel")}
          onRemove={() => onDecide("remove")}
          onUnsure={() => onDecide("unsure")}
        >
          <button
            type="button"
            className="decide"
            onMouseDown={(event) => event.preventDefault()}
            onClick={onRelabel}
          >
            <IconTag size={15} stroke={2} aria-hidden style={{ color: "var(--na-relabel)" }} />
            <span className="decide-word">Relabel…</span>
            <KeyOf action="relabel" />
          </button>
        </DecisionButtons>
      )}
      {busy && <Loader size="xs" aria-label="Deciding" />}
      <CloseButton aria-label="Clear the selection" onClick={onClear} />
    </div>
  );
}
