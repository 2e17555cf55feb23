/** In which theme the server shall draw. */
import { useComputedColorScheme } from "@mantine/core";

import type { Theme } from "@/api/queries";

export function useFigureTheme(): Theme {
  return useComputedColorScheme("light", { getInitialValueInEffect: false });
}
