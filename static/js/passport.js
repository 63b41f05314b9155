// Opens the panel beside the figure whose passport was asked for.
document.addEventListener("htmx:afterSwap", (event) => {
  const panel = event.detail.target;
  if (panel.id !== "passport" || panel.matches(":popover-open")) return;
  panel.showPopover({ source: event.detail.requestConfig.elt });
});
