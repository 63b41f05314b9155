// Keys for people who keep their hands on the keyboard. The dialog #keys lists them and where they lead.
document.addEventListener("DOMContentLoaded", () => {
  const dialog = document.getElementById("keys");
  if (!dialog) return;
  const stored = "rollcall-keys", waits = 1500;
  const toggle = dialog.querySelector("[data-keys-toggle]");
  let isOn = true, pressed = -Infinity;
  try { isOn = localStorage.getItem(stored) !== "off"; } catch { isOn = true; /* storage may be blocked */ }
  toggle.checked = isOn;
  toggle.addEventListener("change", () => {
    isOn = toggle.checked;
    try {
      if (isOn) localStorage.removeItem(stored);
      else localStorage.setItem(stored, "off");
    } catch { toggle.checked = isOn; /* kept for this page only */ }
  });

  const open = () => { if (!dialog.open) dialog.showModal(); };
  document.querySelectorAll("[data-keys-open]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", open);
  });
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });

  const isWriting = (element) => element instanceof Element
    && (element.closest("input, textarea, select, [contenteditable]:not([contenteditable='false'])") !== null);

  document.addEventListener("keydown", (event) => {
    if (!isOn || event.defaultPrevented || event.isComposing || event.repeat) return;
    if (event.ctrlKey || event.metaKey || event.altKey || dialog.open || isWriting(event.target)) return;
    const isSecond = event.timeStamp - pressed < waits;
    pressed = -Infinity;
    if (isSecond) {
      const link = dialog.querySelector(`a[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
      if (link) { event.preventDefault(); link.click(); }
    } else if (event.key === "g") {
      pressed = event.timeStamp;
    } else if (event.key === "?") {
      event.preventDefault();
      open();
    } else if (event.key === "/") {
      const field = document.querySelector("[data-page-search]") || document.getElementById("q");
      if (field) { event.preventDefault(); field.focus(); field.select(); }
    }
  });
});
