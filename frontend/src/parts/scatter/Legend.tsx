/** The groups of the map: hide or show one, or pick all of its samples. */
import type { Group } from "./figure";

interface Props {
  groups: Group[];
  hidden: ReadonlySet<string>;
  onToggle: (name: string) => void;
  onPick: (group: Group) => void;
}

export function Legend({ groups, hidden, onToggle, onPick }: Props) {
  return (
    <ul className="scatter-legend" aria-label="Legend" tabIndex={0}>
      {groups.map((group) => (
        <li key={group.name} data-off={hidden.has(group.name) || undefined}>
          <button
            type="button"
            aria-pressed={!hidden.has(group.name)}
            onClick={() => onToggle(group.name)}
            title="Hide or show"
          >
            <i
              style={group.ring ? { border: `1.5px solid ${group.colour}` } : { background: group.colour }}
            />
            {group.name}
          </button>
          <button
            type="button"
            className="scatter-pick"
            onClick={() => onPick(group)}
            aria-label={`Pick ${group.name}`}
          >
            pick
          </button>
        </li>
      ))}
    </ul>
  );
}
