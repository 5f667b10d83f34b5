import { signal } from "./lib.js";
import { remember, remembered } from "./memory.js";

export const THEMES = ["system", "light", "dark"];

/** "system", "light" or "dark"; kept for the next visit. */
export const theme = signal(THEMES.includes(remembered("theme")) ? remembered("theme") : "system");

export function chooseTheme(chosen) {
  theme.value = chosen;
  remember("theme", chosen);
  if (chosen === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
}
