/** One group of nearly equal images: its members with their labels, and what to do with them. */
import { Button } from "@mantine/core";

import type { DuplicateGroup, DuplicateMember } from "@/api/own";
import { Mark } from "@/decisions/Mark";
import type { Decisions } from "@/decisions/useDecisions";
import { count, many } from "@/parts/format";
import { Thumb } from "@/parts/Thumb";

const TILES = 12;

interface Props {
  group: DuplicateGroup;
  datasetId: string;
  classes: string[];
  decisions: Decisions;
}

export function Group({ group, datasetId, classes, decisions }: Props) {
  const members = group.members.map(decidable);
  const labels = [...new Set(members.map(({ given_label }) => given_label))];
  const nameOf = (label: number) => classes[label] ?? String(label);
  return (
    <section
      className="card dup"
      aria-label={`${many(group.size, "image")} of ${labels.map(nameOf).join(", ")}`}
    >
      <ul className="dup-tiles">
        {members.slice(0, TILES).map((member, position) => (
          <li key={member.index}>
            <Thumb datasetId={datasetId} index={member.index} alt={group.members[position]?.name ?? ""} />
            <span className="dup-label">
              {nameOf(member.given_label)}
              <Mark standing={decisions.standing(member)} classes={classes} />
            </span>
            <span className="faint dup-split">
              {group.members[position]?.split === ""
                ? `sample ${member.index}`
                : group.members[position]?.split}
            </span>
          </li>
        ))}
        {group.size > TILES && <li className="dim dup-more">and {count(group.size - TILES)} more</li>}
      </ul>
      <div className="dup-side">
        <span className="dim">
          {[
            group.exact ? "equal files" : "nearly the same",
            group.different_labels && "different labels",
            group.across_splits && "across splits",
          ]
            .filter(Boolean)
            .join(" · ")}
        </span>
        {decisions.allowed && (
          <div className="dup-actions">
            <Button size="xs" variant="default" onClick={() => decisions.decide(members.slice(1), "remove")}>
              Remove all but the first
            </Button>
            {labels.length > 1 &&
              labels.map((label) => (
                <Button
                  key={label}
                  size="xs"
                  variant="default"
                  onClick={() => decisions.decide(members, "relabel", label)}
                >
                  All are {nameOf(label)}
                </Button>
              ))}
            <Button size="xs" variant="default" onClick={() => decisions.decide(members, "keep")}>
              Keep all
            </Button>
            {members.some((member) => decisions.standing(member) !== null) && (
              <Button size="xs" variant="subtle" color="gray" onClick={() => decisions.decide(members, null)}>
                Clear
              </Button>
            )}
          </div>
        )}
      </div>
    </section>
  );
}

/** A member as decisions are made on it; there is no audit here, and so no other suggestion than its label. */
export const decidable = ({ index, given_label, decision }: DuplicateMember) => ({
  index,
  given_label,
  suggested_label: given_label,
  decision,
});
