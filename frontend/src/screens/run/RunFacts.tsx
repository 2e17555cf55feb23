/** With what a run was made: recipe, settings, seed, times. */
import type { Run } from "@/api/client";
import { Card } from "@/parts/Page";

export function RunFacts({ run }: { run: Run }) {
  const settings = Object.entries(run.settings).filter(
    ([, value]) => value !== null && typeof value !== "object",
  );
  const told = [...(run.notes ?? []), ...(run.map_from ? [`The map shows ${run.map_from}.`] : [])];
  if (settings.length === 0 && told.length === 0) return null;
  return (
    <details className="facts">
      <summary>Settings</summary>
      <Card>
        {told.length > 0 && (
          <ul className="facts-notes dim">
            {told.map((note) => (
              <li key={note}>{note}</li>
            ))}
          </ul>
        )}
        <dl className="facts-list number">
          {settings.map(([name, value]) => (
            <div key={name}>
              <dt className="dim">{name.replaceAll("_", " ")}</dt>
              <dd>{String(value)}</dd>
            </div>
          ))}
        </dl>
      </Card>
    </details>
  );
}
