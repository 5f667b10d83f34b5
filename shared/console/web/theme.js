import { signal } from "./lib.js";
import { remember, recall } from "./memory.js";

export const THEMES = ["system", "light", "dark"];

/** The theme: "system", "light" or "dark"; stored for the next visit. */
export const theme = signal(THEMES.includes(recall("theme")) ? recall("theme") : "system");

export function chooseTheme(name) {
  theme.value = name;
  remember("theme", name);
  if (name === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
}
