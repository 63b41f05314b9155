// Says so when Rollcall itself does not answer a fragment, and takes it back when it does.
document.addEventListener("DOMContentLoaded", () => {
  const note = document.getElementById("connection-note");
  if (!note) return;
  document.body.addEventListener("htmx:sendError", () => { note.hidden = false; });
  document.body.addEventListener("htmx:timeout", () => { note.hidden = false; });
  document.body.addEventListener("htmx:responseError", () => { note.hidden = false; });
  document.body.addEventListener("htmx:afterOnLoad", (event) => {
    if (event.detail.successful) note.hidden = true;
  });
});
