/** The frame of a screen's content: a title row with actions, and cards and figures in it. */
import type { ReactNode } from "react";

import "./page.css";

interface PageProps {
  title: ReactNode;
  sub?: ReactNode;
  actions?: ReactNode;
  width?: "narrow" | "normal" | "wide";
  children: ReactNode;
}

export function Page({ title, sub, actions, width = "normal", children }: PageProps) {
  return (
    <main className={`page page-${width}`}>
      <header className="page-head">
        <div className="page-title">
          <h1>{title}</h1>
          {sub && <div className="page-sub dim">{sub}</div>}
        </div>
        {actions && <div className="page-actions">{actions}</div>}
      </header>
      {children}
    </main>
  );
}

export function Card({
  title,
  aside,
  children,
  flush,
}: {
  title?: ReactNode;
  aside?: ReactNode;
  children: ReactNode;
  flush?: boolean;
}) {
  return (
    <section className="card">
      {(title !== undefined || aside !== undefined) && (
        <header className="card-head">
          <h2>{title}</h2>
          {aside !== undefined && <div className="card-aside dim">{aside}</div>}
        </header>
      )}
      <div className={flush ? "card-flush" : "card-body"}>{children}</div>
    </section>
  );
}

/** One number that matters, its name above and what it means below. */
export function Stat({ name, value, note }: { name: string; value: ReactNode; note?: ReactNode }) {
  return (
    <div className="stat">
      <div className="stat-name dim">{name}</div>
      <div className="stat-value number">{value}</div>
      {note !== undefined && <div className="stat-note faint number">{note}</div>}
    </div>
  );
}
