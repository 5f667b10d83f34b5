// List the views: their addresses, their names in the navigation, and the files each loads on demand.

import { speak } from "../i18n/index.js";

/** The views. `words` are their dictionaries; `styles` are loaded before a view's first paint. */
export const VIEWS = [
  { name: "fleet", path: "/fleet", icon: "layout-dashboard", operators: true, words: ["fleet"], styles: ["views/fleet/fleet.css"], load: () => import("./fleet/index.js") },
  { name: "conversations", path: "/conversations", icon: "messages-square", words: ["inbox", "conversation"], styles: ["views/inbox/inbox.css", "views/inbox/thread.css"], load: () => import("./inbox/index.js") },
  { name: "lines", path: "/lines", icon: "smartphone", words: ["lines"], styles: ["views/lines/lines.css"], load: () => import("./lines/index.js") },
  { name: "integrations", path: "/integrations", icon: "plug", words: ["integrations"], styles: ["views/integrations/integrations.css"], load: () => import("./integrations/index.js") },
];

const loaded = new Map();

/** Load a view's words, styles and code; resolves to its component. */
export function loadView(view) {
  if (!loaded.has(view.name)) {
    const all = Promise.all([view.load(), ...view.words.map(speak), ...view.styles.map(loadStylesheet)]);
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

/** Load a stylesheet of the console, e.g. "vendor/uplot/uplot.css", unless the page named it. */
export function loadStylesheet(path) {
  const { href } = new URL(`../${path}`, import.meta.url);
  if ([...document.styleSheets].some((sheet) => sheet.href === href)) return Promise.resolve();
  if (!sheets.has(path)) {
    sheets.set(
      path,
      new Promise((resolve, reject) => {
        const link = document.createElement("link");
        link.rel = "stylesheet";
        link.href = href;
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

/** Return the view that the console's root leads to. */
export const home = (operator) => (operator ? "/fleet" : "/conversations");
