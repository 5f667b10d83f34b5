// Before the first paint, so that a chosen theme never flashes in the other one's colours.
try {
  const chosen = JSON.parse(localStorage.getItem("perene.theme"));
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // No storage: the system's theme it is.
}
