/** The verdicts as buttons, with their keys; the standing one is filled. */
import type { ReactNode } from "react";

import type { Action } from "@/keys/bindings";
import { KeyOf } from "@/keys/Kbd";

import type { Standing } from "./standing";
import { VERDICTS, type Verdict } from "./verdicts";
import "./decisions.css";

interface Props {
  standing?: Standing;
  /** What accepting the suggestion would say; absent where there is nothing to suggest. */
  suggestion?: string;
  /** What keeping says. */
  keep?: string;
  /** Put after each word, such as the number of samples meant. */
  suffix?: string;
  keys?: boolean;
  onKeep: () => void;
  onAccept?: () => void;
  onRemove: () => void;
  onUnsure: () => void;
  children?: ReactNode;
}

export function DecisionButtons({
  standing = null,
  suggestion,
  keep = "Keep",
  suffix = "",
  keys = true,
  onKeep,
  onAccept,
  onRemove,
  onUnsure,
  children,
}: Props) {
  const one = (verdict: Verdict, text: string, action: Action, act: () => void) => {
    const look = VERDICTS[verdict];
    const Shape = look.icon;
    const on = standing?.verdict === verdict;
    return (
      <button
        type="button"
        className="decide"
        aria-pressed={on}
        style={on ? { background: look.fill, color: look.onFill, borderColor: look.fill } : undefined}
        // The focus stays where it is, so that Enter goes on meaning "accept".
        onMouseDown={(event) => event.preventDefault()}
        onClick={act}
      >
        <Shape size={15} stroke={2.25} aria-hidden style={on ? undefined : { color: look.fill }} />
        <span className="decide-word">
          {text}
          {suffix}
        </span>
        {keys && <KeyOf action={action} />}
      </button>
    );
  };
  return (
    <div className="decides" role="group" aria-label="Decide">
      {one("keep", keep, "keep", onKeep)}
      {onAccept && one("relabel", suggestion ?? "Accept", "accept", onAccept)}
      {one("remove", "Remove", "remove", onRemove)}
      {one("unsure", "Unsure", "unsure", onUnsure)}
      {children}
    </div>
  );
}
