// Texts of others may hold characters that turn the direction of reading, and their neighbours with it.

const TURNING = /[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const LEFTWARD = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;
const [APART, TOGETHER] = ["\u2068", "\u2069"];

/** A name as its letters stand: "cobrançafdp.exe" isn't shown as a PDF. */
export const straight = (text) => String(text ?? "").replace(TURNING, "");

/** The same for within a sentence: what is read from the right stays by itself. */
export const apart = (text) => (LEFTWARD.test(text) ? APART + straight(text) + TOGETHER : straight(text));
