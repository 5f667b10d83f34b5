// Locate the console and the functions, and read how a person signs in.

/** The console's root under whatever prefix it is served; it ends in a slash. */
export const ROOT = new URL("../../", import.meta.url);

/** The path that every address of the console begins with, without a slash at the end. */
export const BASE = ROOT.pathname.replace(/\/$/, "");

let pending = null;
let described = null;

/** Return the agency as its clients know it: {name, logo?, color?, ink?}, or {name, isOurs} where it has no name of its own. */
export const brand = () => described?.brand ?? { name: "Perene", isOurs: true };

/** Fetch the deployment's description, once. A rejection isn't remembered: the next call fetches again. */
export function deployment() {
  pending ??= fetch(new URL("config.json", ROOT)) // as the page's preload asks for it
    .then((response) => {
      if (!response.ok) throw new Error(`config.json: ${response.status}`);
      return response.json();
    })
    .then((deployment) => (described = deployment))
    .catch((error) => {
      pending = null;
      throw error;
    });
  return pending;
}

/** Resolve the address of a function's path, e.g. "instances/default". */
export async function functionUrl(path) {
  return new URL(path.replace(/^\//, ""), new URL((await deployment()).api, ROOT));
}
