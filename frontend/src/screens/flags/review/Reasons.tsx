/** Why a label is doubted: likely classes, words, neighbours, loss and margin by epoch, decisions so far. */
import type { ReactNode, Ref } from "react";

import type { SampleDetail } from "@/api/client";
import type { Standing } from "@/decisions/standing";
import { KeyOf } from "@/keys/Kbd";

import { percent } from "@/parts/format";
import { Opinions } from "@/screens/annotators/Opinions";

import { Course } from "./Course";
import { History, labelsAround, LikelyClasses, Neighbours } from "./Evidence";

interface Props {
  sample: SampleDetail;
  classes: string[];
  datasetId: string;
  nameOf: (label: number) => string;
  standing: Standing;
  onPick: ((label: number) => void) | undefined;
  onAside: (index: number) => void;
  neighbours: Ref<HTMLUListElement>;
}

export function Reasons({
  sample,
  classes,
  datasetId,
  nameOf,
  standing,
  onPick,
  onAside,
  neighbours,
}: Props) {
  return (
    <>
      <Part title="Likely classes">
        <LikelyClasses sample={sample} nameOf={nameOf} standing={standing} onPick={onPick} />
      </Part>
      {sample.why.length > 0 && (
        <Part title="Why">
          <ul className="panel-why">
            {sample.why.map((reason) => (
              <li key={reason}>{reason}</li>
            ))}
          </ul>
        </Part>
      )}
      {sample.annotations && (
        <Part title="Annotators" aside={`${percent(sample.annotations.agreement)} agree`}>
          <Opinions said={sample.annotations} nameOf={nameOf} />
        </Part>
      )}
      {sample.neighbours.length > 0 && (
        <Part
          title="Nearest samples"
          aside={
            <>
              {labelsAround(sample, nameOf)} <KeyOf action="neighbours" />
            </>
          }
        >
          <Neighbours sample={sample} datasetId={datasetId} nameOf={nameOf} onGo={onAside} ref={neighbours} />
        </Part>
      )}
      {sample.loss_by_epoch.length > 0 && (
        <Part title="By epoch">
          <Course sample={sample} nameOf={nameOf} />
        </Part>
      )}
      {sample.true_label != null && (
        <p className="dim panel-true">
          True label, known because the noise was planted: <strong>{nameOf(sample.true_label)}</strong>
        </p>
      )}
      {sample.history.length > 0 && (
        <Part title="Decisions">
          <History sample={sample} classes={classes} />
        </Part>
      )}
    </>
  );
}

function Part({ title, aside, children }: { title: string; aside?: ReactNode; children: ReactNode }) {
  return (
    <section className="panel-part">
      <header>
        <h2>{title}</h2>
        {aside && <span className="dim number">{aside}</span>}
      </header>
      {children}
    </section>
  );
}
