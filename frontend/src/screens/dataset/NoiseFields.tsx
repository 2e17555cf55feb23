/** Which noise is planted, and in how many of the samples. */
import { Select, Slider } from "@mantine/core";

import { KINDS, type Kind } from "./kinds";

interface Props {
  kind: Kind;
  onKind: (kind: Kind) => void;
  /** In percent. */
  rate: number;
  onRate: (rate: number) => void;
  most: number;
}

export function NoiseFields({ kind, onKind, rate, onRate, most }: Props) {
  return (
    <>
      <Select
        label="Kind of noise"
        data={KINDS}
        value={kind}
        allowDeselect={false}
        onChange={(value) => value && onKind(value)}
        description={KINDS.find((one) => one.value === kind)?.says}
        inputWrapperOrder={["label", "input", "description", "error"]}
      />
      <div>
        <div className="plant-label">
          Share of the samples <span className="number dim">{rate} %</span>
        </div>
        <Slider
          min={1}
          max={most}
          value={rate}
          onChange={onRate}
          label={null}
          thumbLabel="Share of the samples"
        />
      </div>
    </>
  );
}
