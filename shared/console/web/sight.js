// Tell which rows of a long list are in sight: only those are on the page.

const BEYOND = 8;

/** Return {from, to}: the rows of a height that are in sight from `top` on, with some beyond in steps of as many. Sizes are px. */
export function rowsInSight(top, height, size, count) {
  const first = Math.floor(top / size / BEYOND) * BEYOND - BEYOND;
  const last = Math.ceil((top + height) / size / BEYOND) * BEYOND + BEYOND;
  return { from: Math.max(0, Math.min(first, count - 1)), to: Math.min(count, Math.max(last, 0)) };
}
