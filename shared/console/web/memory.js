// What this browser remembers of a person's choices. A browser that forbids it just forgets.

/** What was kept under that name, or null. Place: "local", or "session" for this tab. */
export function remembered(name, place = "local") {
  try {
    return JSON.parse(storage(place).getItem(`perene.${name}`));
  } catch {
    return null;
  }
}

/** `value` is kept under that name; null forgets it. */
export function remember(name, value, place = "local") {
  try {
    if (value === null) storage(place).removeItem(`perene.${name}`);
    else storage(place).setItem(`perene.${name}`, JSON.stringify(value));
  } catch {
    // Full or forbidden: nothing that anybody has to know.
  }
}

const OF_THE_BROWSER = ["language", "theme"];

/** Nothing of a person stays here, but `kept`: what they wrote and didn't send, their sends, their session. */
export function forgetPerson(kept = []) {
  for (const place of ["local", "session"])
    try {
      for (const name of Object.keys(storage(place)))
        if (name.startsWith("perene.") && ![...OF_THE_BROWSER, ...kept].includes(name.slice(7))) storage(place).removeItem(name);
    } catch {
      // Forbidden: then nothing was kept.
    }
}

const storage = (place) => (place === "session" ? sessionStorage : localStorage);
