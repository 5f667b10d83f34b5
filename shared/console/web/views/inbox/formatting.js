// Read a text as WhatsApp formats it: *bold*, _italic_, ~struck~, `code`, ```blocks```, and web addresses.

const STYLES = { "*": "bold", _: "italic", "~": "struck" };
const CODE = /```([\s\S]+?)```|`([^`\n]+)`/y;
const ADDRESS = /https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]}]/y;
const WORD = /[\p{L}\p{N}]/u;
const BLANK = /\s/;

/**
 * Split a text into parts: strings, {style, parts} ("bold", "italic", "struck"), and {style, text} ("code", "block", "link").
 * Takes one pass: a mark opens before a word and closes behind one, on the same line; all others are plain text.
 */
export function parseText(text) {
  const stack = [{ parts: [] }];
  let plain = "";
  const top = () => stack.at(-1);
  const flush = () => {
    if (plain) top().parts.push(plain);
    plain = "";
  };
  /** Turn the marks that were opened last, down to `depth`, back into plain text. */
  const undo = (depth) => {
    flush();
    while (stack.length > depth) {
      const { mark, parts } = stack.pop();
      top().parts.push(mark, ...parts);
    }
  };

  for (let at = 0; at < text.length; ) {
    const opaque = readOpaque(text, at, stack);
    if (opaque) {
      flush();
      top().parts.push(opaque.part);
      at += opaque.length;
      continue;
    }
    const sign = text[at];
    if (sign === "\n") undo(1);
    const open = sign in STYLES ? stack.findIndex(({ mark }) => mark === sign) : -1;
    if (open > 0 && closes(text, at) && (plain || stack.length > open + 1 || top().parts.length)) {
      undo(open + 1);
      const { parts } = stack.pop();
      top().parts.push({ style: STYLES[sign], parts: join(parts) });
    } else if (sign in STYLES && open < 0 && opens(text, at)) {
      flush();
      stack.push({ mark: sign, parts: [] });
    } else plain += sign;
    at++;
  }
  undo(1);
  return join(stack[0].parts);
}

const isWord = (sign) => sign !== undefined && WORD.test(sign);
const isBlank = (sign) => sign === undefined || BLANK.test(sign);
const opens = (text, at) => !isWord(text[at - 1]) && !isBlank(text[at + 1]);
const closes = (text, at) => !isBlank(text[at - 1]) && !isWord(text[at + 1]);

/** Read what holds no marks: code, or an address; returns {part, length} or null. */
function readOpaque(text, at, stack) {
  if (text[at] === "`") {
    CODE.lastIndex = at;
    const found = CODE.exec(text);
    return found && { part: found[1] ? { style: "block", text: found[1] } : { style: "code", text: found[2] }, length: found[0].length };
  }
  if (text[at] !== "h") return null;
  ADDRESS.lastIndex = at;
  let [address] = ADDRESS.exec(text) ?? [];
  while (address && stack.some(({ mark }) => mark === address.at(-1))) address = address.slice(0, -1);
  return address ? { part: { style: "link", text: address }, length: address.length } : null;
}

/** Join neighbouring strings. */
function join(parts) {
  const joined = [];
  for (const part of parts) {
    if (typeof part === "string" && typeof joined.at(-1) === "string") joined.push(joined.pop() + part);
    else joined.push(part);
  }
  return joined;
}
