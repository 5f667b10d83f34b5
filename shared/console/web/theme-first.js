// Set the theme before the first paint, so that the page never flashes in the other one's colours.
try {
  const theme = JSON.parse(localStorage.getItem("perene.theme"));
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Without storage the page follows the system's theme.
}
