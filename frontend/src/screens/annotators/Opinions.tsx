/** What the annotators said of one sample, beside what the audit says. */
import type { SampleDetail } from "@/api/client";
import { percent } from "@/parts/format";

import "./annotators.css";

type Said = NonNullable<SampleDetail["annotations"]>;

export function Opinions({ said, nameOf }: { said: Said; nameOf: (label: number) => string }) {
  return (
    <>
      <ul className="opinions">
        {said.labels.map(({ annotator, label }) => (
          <li key={annotator} data-apart={label !== said.majority || undefined}>
            <span className="dim">{annotator}</span> {nameOf(label)}
          </li>
        ))}
      </ul>
      <p className="dim opinions-sum">
        Consensus <b>{nameOf(said.consensus)}</b>, {percent(said.consensus_probability)} sure
        {said.majority !== said.consensus && `; most said ${nameOf(said.majority)}`}
      </p>
    </>
  );
}
