/** Whether a key press belongs to what has the focus: a field, a button, a menu, a dialog. */

export function belongsToFocus(target: EventTarget | null, key: string): boolean {
  if (typeof Element === "undefined" || !(target instanceof Element)) return false;
  const inside = (selector: string) => target.closest(selector) !== null;
  if (inside("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable=true]"))
    return true;
  if (inside("[role=dialog], [role=listbox], [role=menu]")) return true;
  if (inside("[role=slider], [role=radiogroup]") && key.startsWith("Arrow")) return true;
  if (inside("input[type=radio]") && key.startsWith("Arrow")) return true;
  // Enter and Space press what has the focus.
  return (
    (key === "Enter" || key === " ") && inside("a[href], button, input, summary, [role=button], [role=tab]")
  );
}
