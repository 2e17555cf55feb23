/** What the import met: files it could not read, images it had to convert. */
import type { ReactNode } from "react";

import { count, many } from "@/parts/format";
import { Card } from "@/parts/Page";

import type { Report } from "./report";

const SHOWN = 100;

export function Unreadable({ report }: { report: Report }) {
  const shown = report.unreadable.slice(0, SHOWN);
  return (
    <Card
      title={`${many(report.unreadableCount, "file")} could not be read`}
      aside={report.unreadableCount > shown.length ? `the first ${count(shown.length)}` : undefined}
      flush
    >
      <div className="rows">
        {shown.map(({ item, code, message }) => (
          <div className="row unreadable" key={item}>
            <span className="row-name" title={item}>
              {item}
            </span>
            <span className="dim">{message}</span>
            <code className="faint">{code}</code>
          </div>
        ))}
      </div>
    </Card>
  );
}

export function Conversions({ report }: { report: Report }) {
  const lines: ReactNode[] = [];
  if (report.recognised) {
    lines.push(
      <>
        Recognised as <strong>{report.recognised}</strong>
        {report.reason ? `: ${report.reason}` : ""}
      </>,
    );
  }
  for (const { what, count: number } of report.conversions) lines.push(`${many(number, "image")} ${what}`);
  if (report.appended) {
    const { added, alreadyThere, differing } = report.appended;
    const there =
      alreadyThere === 0
        ? "none was there already"
        : `${many(alreadyThere, "image was", "images were")} there already${differing > 0 ? `, ${count(differing)} under another label` : ""}`;
    lines.push(`${many(added, "image")} added; ${there}`);
  }
  if (report.ignored) lines.push(`${many(report.ignored, "hidden file")} ignored`);
  if (lines.length === 0) return null;
  return (
    <Card title="Import">
      <ul className="lines">
        {lines.map((line, position) => (
          <li key={position}>{line}</li>
        ))}
      </ul>
    </Card>
  );
}
