/** Picks samples without drawing: by labels, noise posterior and decision. */
import { Button, NumberInput, Popover, Select, Switch } from "@mantine/core";
import { IconFilter } from "@tabler/icons-react";
import { useState } from "react";

import { VERDICT_ORDER, VERDICTS } from "@/decisions/verdicts";
import { useKeysOff } from "@/keys/useKeys";
import { readFilter, type FlagsSearch } from "@/screens/flags/filter";

interface Props {
  classes: string[];
  search: FlagsSearch | null;
  onPick: (search: FlagsSearch) => void;
}

interface Draft {
  given: string | null;
  suggested: string | null;
  verdict: string | null;
  min: number;
  max: number;
  flagged: boolean;
}

export function PickBy({ classes, search, onPick }: Props) {
  const [opened, setOpened] = useState(false);
  const [draft, setDraft] = useState<Draft>(() => draftOf(search));
  useKeysOff(opened);
  const labels = classes.map((name, label) => ({ value: String(label), label: name }));
  const set = (change: Partial<Draft>) => setDraft((before) => ({ ...before, ...change }));
  return (
    <Popover
      opened={opened}
      onChange={setOpened}
      position="bottom-start"
      width={300}
      trapFocus
      shadow="md"
      // The lists of the fields would otherwise count as outside.
      closeOnClickOutside={false}
    >
      <Popover.Target>
        <Button
          size="compact-sm"
          variant="default"
          leftSection={<IconFilter size={14} />}
          aria-expanded={opened}
          onClick={() => {
            setDraft(draftOf(search));
            setOpened(!opened);
          }}
        >
          Pick by…
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <form
          className="pickby"
          aria-label="Pick samples"
          onKeyDown={(event) => event.key === "Escape" && setOpened(false)}
          onSubmit={(event) => {
            event.preventDefault();
            onPick(searchOf(draft));
            setOpened(false);
          }}
        >
          <Select
            size="xs"
            label="Given label"
            placeholder="any"
            data={labels}
            value={draft.given}
            clearable
            searchable
            onChange={(given) => set({ given })}
            comboboxProps={{ withinPortal: false }}
          />
          <Select
            size="xs"
            label="Suggested label"
            placeholder="any"
            data={labels}
            value={draft.suggested}
            clearable
            searchable
            onChange={(suggested) => set({ suggested })}
            comboboxProps={{ withinPortal: false }}
          />
          <div className="pickby-two">
            <NumberInput
              size="xs"
              label="Posterior from"
              min={0}
              max={1}
              step={0.05}
              decimalScale={2}
              value={draft.min}
              onChange={(value) => set({ min: Number(value) || 0 })}
            />
            <NumberInput
              size="xs"
              label="to"
              min={0}
              max={1}
              step={0.05}
              decimalScale={2}
              value={draft.max}
              onChange={(value) => set({ max: value === "" ? 1 : Number(value) })}
            />
          </div>
          <Select
            size="xs"
            label="Decision"
            placeholder="any"
            data={[
              { value: "none", label: "None yet" },
              ...VERDICT_ORDER.map((verdict) => ({ value: verdict, label: VERDICTS[verdict].word })),
            ]}
            value={draft.verdict}
            clearable
            onChange={(verdict) => set({ verdict })}
            comboboxProps={{ withinPortal: false }}
          />
          <Switch
            size="xs"
            label="Only flagged ones"
            checked={draft.flagged}
            onChange={(event) => set({ flagged: event.currentTarget.checked })}
          />
          <div className="pickby-acts">
            <Button type="submit" size="xs">
              Pick
            </Button>
            <Button size="xs" variant="subtle" color="gray" onClick={() => setOpened(false)}>
              Close
            </Button>
          </div>
        </form>
      </Popover.Dropdown>
    </Popover>
  );
}

function draftOf(search: FlagsSearch | null): Draft {
  const text = (label: number | undefined) => (label === undefined ? null : String(label));
  return {
    given: text(search?.given),
    suggested: text(search?.suggested),
    verdict: search?.verdict ?? null,
    min: search?.min ?? 0,
    max: search?.max ?? 1,
    flagged: search?.show !== "all",
  };
}

function searchOf({ given, suggested, verdict, min, max, flagged }: Draft): FlagsSearch {
  return readFilter({ given, suggested, verdict, min, max, show: flagged ? undefined : "all" });
}
