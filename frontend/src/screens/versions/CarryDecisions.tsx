/** Whether what was decided goes along into a version. */
import { Checkbox } from "@mantine/core";

interface Props {
  checked: boolean;
  onChange: (checked: boolean) => void;
}

export function CarryDecisions({ checked, onChange }: Props) {
  return (
    <Checkbox
      label="Take the decisions along"
      description="Those on images whose given label is the same; they can be taken back together"
      checked={checked}
      onChange={(event) => onChange(event.currentTarget.checked)}
    />
  );
}
