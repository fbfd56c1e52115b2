// Runs before the page is painted: the theme that was chosen here before, if any.
(() => {
  try {
    const chosen = localStorage.getItem("trueup-theme");
    if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
  } catch { /* storage may be forbidden; then the system's choice stands */ }
})();
