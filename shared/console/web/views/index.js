// The views: where they are, how the navigation calls them, and what they load when they are asked for.

import { speak } from "../i18n/index.js";

/** `words` names the dictionaries, `styles` are loaded before the first paint of the view. */
export const VIEWS = [
  { name: "fleet", path: "/fleet", icon: "layout-dashboard", operators: true, words: ["fleet", "review"], styles: ["views/fleet/fleet.css"], load: () => import("./fleet/index.js") },
  { name: "conversations", path: "/conversations", icon: "messages-square", words: ["inbox"], styles: ["views/inbox/inbox.css"], load: () => import("./inbox/index.js") },
  { name: "lines", path: "/lines", icon: "smartphone", words: ["lines"], styles: ["views/lines/lines.css"], load: () => import("./lines/index.js") },
];

const loaded = new Map();

/** The view's component, once its words, styles and code are there. */
export function loadView(view) {
  if (!loaded.has(view.name)) {
    const all = Promise.all([view.load(), ...view.words.map(speak), ...view.styles.map(stylesheet)]);
    loaded.set(
      view.name,
      all.then(([module]) => module.default).catch((error) => {
        loaded.delete(view.name);
        throw error;
      }),
    );
  }
  return loaded.get(view.name);
}

const sheets = new Map();

/** A stylesheet of ours is in force, e.g. "vendor/uplot/uplot.css". */
export function stylesheet(path) {
  if (!sheets.has(path)) {
    sheets.set(
      path,
      new Promise((resolve, reject) => {
        const link = document.createElement("link");
        link.rel = "stylesheet";
        link.href = new URL(`../${path}`, import.meta.url);
        link.onload = resolve;
        link.onerror = () => {
          link.remove();
          sheets.delete(path);
          reject(new Error(`no ${path}`));
        };
        document.head.append(link);
      }),
    );
  }
  return sheets.get(path);
}

/** Where somebody lands who asked for nothing in particular. */
export const home = (operator) => (operator ? "/fleet" : "/conversations");
