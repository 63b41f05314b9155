// Theme toggle: follows the system until a person chooses. Loaded in <head> so that no page flashes.
(() => {
  const root = document.documentElement, key = "rollcall-theme";
  let saved = null;
  try { saved = localStorage.getItem(key); } catch { saved = null; /* storage may be blocked */ }
  if (saved === "light" || saved === "dark") root.dataset.theme = saved;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme || (system.matches ? "dark" : "light")) === "dark";
  document.addEventListener("DOMContentLoaded", () => {
    const buttons = document.querySelectorAll("[data-theme-toggle]");
    const show = () => buttons.forEach((button) => button.setAttribute("aria-pressed", String(isDark())));
    show();
    system.addEventListener("change", show);
    buttons.forEach((button) => {
      button.hidden = false;
      button.addEventListener("click", () => {
        // Choosing what the system shows anyway goes back to following it.
        const wanted = isDark() ? "light" : "dark";
        if ((wanted === "dark") === system.matches) delete root.dataset.theme;
        else root.dataset.theme = wanted;
        try {
          if (root.dataset.theme) localStorage.setItem(key, root.dataset.theme);
          else localStorage.removeItem(key);
        } catch { show(); /* kept for this page only */ }
        show();
      });
    });
  });
})();
