// Decides light or dark before anything is painted; "auto" follows the machine.
(() => {
  const root = document.documentElement;
  const machine = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const wanted = root.dataset.theme;
    root.dataset.bsTheme = wanted === "auto" ? (machine.matches ? "dark" : "light") : wanted;
  };
  apply();
  machine.addEventListener("change", apply);
})();
