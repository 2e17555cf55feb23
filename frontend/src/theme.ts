/** Colours, sizes and component defaults of the whole dashboard; screens take them from here and from tokens.css. */
import {
  ActionIcon,
  Button,
  Combobox,
  createTheme,
  Menu,
  Modal,
  Popover,
  RangeSlider,
  SegmentedControl,
  Slider,
  Tooltip,
  type MantineColorsTuple,
} from "@mantine/core";

const brand: MantineColorsTuple = [
  "#eef0ff",
  "#dfe2fb",
  "#bcc1f2",
  "#979fe9",
  "#7d86e4",
  "#636cdd",
  "#585fdb",
  "#4a4fd1",
  "#4044b8",
  "#35389c",
];

// Near-black with a little blue: calmer behind images than Mantine's neutral grey.
const dark: MantineColorsTuple = [
  "#e6e8ee",
  "#c3c7d1",
  "#9aa1af",
  "#6d7483",
  "#363a45",
  "#262932",
  "#1b1d23",
  "#121317",
  "#0d0e11",
  "#08090b",
];

/** The system's own face; named ones first, because system-ui is a poor choice on many a Linux. */
export const FONT =
  'Inter, -apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", system-ui, sans-serif';

/** What opens above the page stands out from it in the dark too, where shadows do not show. */
const FLOATING = { background: "var(--na-surface)", borderColor: "var(--na-line-strong)" };

const AT_ONCE = { transitionProps: { duration: 0 } };

export const theme = createTheme({
  colors: { brand, dark },
  primaryColor: "brand",
  // White on shade 7 has a contrast of 6.3, on shade 6 of 5.1 (3.7 to the dark page behind it).
  primaryShade: { light: 7, dark: 6 },
  autoContrast: true,
  luminanceThreshold: 0.179,
  defaultRadius: 6,
  fontFamily: FONT,
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace',
  fontSizes: { xs: "0.75rem", sm: "0.8125rem", md: "0.875rem", lg: "1rem", xl: "1.25rem" },
  headings: {
    fontWeight: "600",
    sizes: {
      h1: { fontSize: "1.375rem", lineHeight: "1.3" },
      h2: { fontSize: "1rem", lineHeight: "1.4" },
      h3: { fontSize: "0.875rem", lineHeight: "1.4" },
    },
  },
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    Button: Button.extend({ defaultProps: { size: "sm" }, styles: { root: { fontWeight: 550 } } }),
    ActionIcon: ActionIcon.extend({ defaultProps: { variant: "subtle", color: "gray" } }),
    Tooltip: Tooltip.extend({ defaultProps: { openDelay: 400, fz: "xs", withArrow: true } }),
    Modal: Modal.extend({
      // A dialog that fades out keeps the focus while it does, and swallows the next key.
      defaultProps: {
        centered: true,
        closeButtonProps: { "aria-label": "Close" },
        overlayProps: { backgroundOpacity: 0.4, blur: 2 },
        transitionProps: { duration: 0 },
      },
      styles: {
        title: { fontWeight: 600 },
        content: { background: "var(--na-surface)", border: "1px solid var(--na-line-strong)" },
        header: { background: "inherit" },
      },
    }),
    // Its placeholder for the focus is no child that a menu may have; the first entry takes it instead.
    Menu: Menu.extend({
      defaultProps: { ...AT_ONCE, withInitialFocusPlaceholder: false },
      styles: { dropdown: FLOATING },
    }),
    Popover: Popover.extend({ defaultProps: AT_ONCE, styles: { dropdown: FLOATING } }),
    // A target has at least 24 pixels.
    Slider: Slider.extend({ defaultProps: { thumbSize: 24 } }),
    RangeSlider: RangeSlider.extend({ defaultProps: { thumbSize: 24 } }),
    SegmentedControl: SegmentedControl.extend({ defaultProps: { transitionDuration: 0 } }),
    Combobox: Combobox.extend({ styles: { dropdown: FLOATING } }),
  },
});
