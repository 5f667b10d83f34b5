// Where the console is, where the functions are, and how a person signs in here.

/** The console's root, whatever prefix it is served under; ends in a slash. */
export const ROOT = new URL("../../", import.meta.url);

/** What every address of the console begins with, without the slash at the end. */
export const BASE = ROOT.pathname.replace(/\/$/, "");

let known = null;

/** What the deployment says of itself, asked once. Rejects when it can't be had; ask again then. */
export function deployment() {
  known ??= fetch(new URL("config.json", ROOT), { credentials: "omit" })
    .then((answer) => {
      if (!answer.ok) throw new Error(`config.json: ${answer.status}`);
      return answer.json();
    })
    .catch((error) => {
      known = null;
      throw error;
    });
  return known;
}

/** The address of a function's path, e.g. "instances/default". */
export async function functionUrl(path) {
  return new URL(path.replace(/^\//, ""), new URL((await deployment()).api, ROOT));
}
