export function FlagsScreen() { return null; }
