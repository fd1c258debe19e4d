// Before anything is painted: the theme that was chosen here, if one was.
"use strict";

try {
  const theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // No storage here: the browser's own setting counts.
}
