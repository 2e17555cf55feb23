/** Quiet lines beside verdicts: for those who may not give one here, and for those who see only their own. */
import { IconEye, IconEyeOff } from "@tabler/icons-react";

import "./decisions.css";

export function LookOnly() {
  return (
    <p className="look-only faint" title="Who owns the dataset says on its page who decides.">
      <IconEye size={15} stroke={1.75} aria-hidden /> You can look, not decide.
    </p>
  );
}

export function Blind() {
  return (
    <p
      className="look-only faint"
      title="Two reviewers decide independently, until the dataset's owner ends it."
    >
      <IconEyeOff size={15} stroke={1.75} aria-hidden /> Blind review: you see your own decisions only.
    </p>
  );
}
