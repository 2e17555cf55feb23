/** A decision as a small filled mark: icon and, where there is room, the word. */
import type { Standing } from "./standing";
import { VERDICTS } from "./verdicts";
import "./decisions.css";

export function Mark({
  standing,
  classes,
  word = false,
}: {
  standing: Standing;
  classes: string[];
  word?: boolean;
}) {
  if (!standing) return null;
  const look = VERDICTS[standing.verdict];
  const Shape = look.icon;
  const says =
    standing.verdict === "relabel" && standing.label !== null
      ? (classes[standing.label] ?? look.word)
      : look.word;
  return (
    <span
      className={word ? "mark mark-word" : "mark"}
      style={{ background: look.fill, color: look.onFill }}
      title={`${look.word}${says === look.word ? "" : `: ${says}`}`}
    >
      <Shape size={12} stroke={3} aria-hidden />
      {word ? says : <span className="visually-hidden">{says}</span>}
    </span>
  );
}
