// Neutralise the characters in other people's texts that turn the reading direction, also of the text around them.

const TURNING = /[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const LEFTWARD = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;
const [APART, TOGETHER] = ["\u2068", "\u2069"];

/** Remove direction marks from a name: "cobrançafdp.exe" must not look like a PDF. */
export const straight = (text) => String(text ?? "").replace(TURNING, "");

/** Isolate a text for use within a sentence, if it is read from the right. */
export const apart = (text) => (LEFTWARD.test(text) ? APART + straight(text) + TOGETHER : straight(text));
