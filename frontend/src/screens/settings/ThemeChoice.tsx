/** Light, dark, or what the system says. */
import { Radio, useMantineColorScheme, type MantineColorScheme } from "@mantine/core";

const THEMES: { value: MantineColorScheme; label: string; says: string }[] = [
  { value: "light", label: "Light", says: "Always light" },
  { value: "dark", label: "Dark", says: "Always dark: calmer behind images" },
  { value: "auto", label: "System", says: "As the rest of this machine, also when that changes" },
];

export function ThemeChoice() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <Radio.Group value={colorScheme} onChange={(value) => setColorScheme(value)} aria-label="Theme">
      <div className="themes">
        {THEMES.map(({ value, label, says }) => (
          <Radio key={value} value={value} label={label} description={says} />
        ))}
      </div>
    </Radio.Group>
  );
}
