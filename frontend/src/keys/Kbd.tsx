/** Keys as little caps: a given one, or the one that an action has now. */
import { Fragment } from "react";

import type { Action } from "./bindings";
import { useKeyOf } from "./choices";

export function Kbd({ children }: { children: string }) {
  return <kbd className="kbd">{children}</kbd>;
}

/** The key of an action as its user has it; nothing when keys are switched off. */
export function KeyOf({ action }: { action: Action }) {
  const keys = useKeyOf(action);
  return keys && <Keys keys={keys} />;
}

const SHORT: Record<string, string> = { Enter: "↵" };

export function Keys({ keys, whole = false }: { keys: string[]; whole?: boolean }) {
  return (
    <span className="keys">
      {keys.map((key, position) => (
        <Fragment key={position}>
          {/* Read aloud as two keys, not as one word. */}
          {position > 0 && " "}
          <Kbd>{whole ? key : (SHORT[key] ?? key)}</Kbd>
        </Fragment>
      ))}
    </span>
  );
}
