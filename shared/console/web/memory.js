// Remember a person's choices in this browser; where storage is forbidden, nothing is recall.

/** Return the value under a name, or null. `place` is "local", or "session" for this tab. */
export function recall(name, place = "local") {
  try {
    return JSON.parse(storage(place).getItem(`perene.${name}`));
  } catch {
    return null;
  }
}

/** Store a value under a name; null removes it. */
export function remember(name, value, place = "local") {
  try {
    if (value === null) storage(place).removeItem(`perene.${name}`);
    else storage(place).setItem(`perene.${name}`, JSON.stringify(value));
  } catch {
    // Storage is full or forbidden; the choice lasts until the page is left.
  }
}

const BROWSER_SETTINGS = ["language", "theme"];

/** Remove what is stored of a person (drafts, sends, session), except the names in `exceptions`. */
export function forgetPerson(exceptions = []) {
  for (const place of ["local", "session"])
    try {
      for (const name of Object.keys(storage(place)))
        if (name.startsWith("perene.") && ![...BROWSER_SETTINGS, ...exceptions].includes(name.slice(7))) storage(place).removeItem(name);
    } catch {
      // Storage is forbidden, so nothing was stored.
    }
}

const storage = (place) => (place === "session" ? sessionStorage : localStorage);
