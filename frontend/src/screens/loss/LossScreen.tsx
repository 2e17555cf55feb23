export function LossScreen() { return null; }
