// Move through the inbox by keys that work everywhere in it, also while a message is written.

import { useEffect, useRef } from "../../lib.js";

/**
 * The shortcuts: {name, keys (as shown), code or key, modifier}. Codes are places on the keyboard: with Option a Mac's keys
 * type other characters.
 */
export const SHORTCUTS = [
  { name: "search", keys: ["Ctrl", "K"], code: "KeyK", modifier: "control" },
  { name: "next", keys: ["Alt", "↓"], code: "ArrowDown", modifier: "alt" },
  { name: "previous", keys: ["Alt", "↑"], code: "ArrowUp", modifier: "alt" },
  { name: "archive", keys: ["Alt", "E"], code: "KeyE", modifier: "alt" },
  { name: "unread", keys: ["Alt", "U"], code: "KeyU", modifier: "alt" },
  { name: "create", keys: ["Alt", "N"], code: "KeyN", modifier: "alt" },
  { name: "help", keys: ["Ctrl", "/"], key: "/", modifier: "control" },
];

/** Return the name of the shortcut that was pressed, or undefined. AltGr types characters, so it is none. */
export function findShortcut({ code, key, altKey, ctrlKey, metaKey, shiftKey }) {
  const control = ctrlKey || metaKey;
  if (altKey && control) return undefined;
  const modifier = altKey ? "alt" : control ? "control" : null;
  return SHORTCUTS.find((one) => one.modifier === modifier && (one.key ? one.key === key : one.code === code && !shiftKey))?.name;
}

/** Call `acts[name]` when its shortcut is pressed, unless a dialog is open. */
export function useShortcuts(acts) {
  const latest = useRef(acts);
  latest.current = acts;
  useEffect(() => {
    const press = (event) => {
      const act = latest.current[findShortcut(event)];
      if (!act || event.defaultPrevented || event.getModifierState?.("AltGraph") || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      act();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
}
