// What the page does while Rollcall is asked for a part of it, and when it does not answer.
document.addEventListener("DOMContentLoaded", () => {
  const note = document.getElementById("connection-note");
  const line = document.createElement("div");
  line.className = "loading-line";
  line.hidden = true;
  document.body.append(line);
  const waiting = new Map();

  // Only what a reader asked for: what a page follows by itself goes on unseen.
  document.body.addEventListener("htmx:beforeRequest", (event) => {
    const { target, xhr, requestConfig } = event.detail;
    if (!requestConfig.triggeringEvent) return;
    target.setAttribute("aria-busy", "true");
    waiting.set(xhr, setTimeout(() => { line.hidden = false; }, 150));
  });
  document.body.addEventListener("htmx:afterRequest", (event) => {
    const { target, xhr } = event.detail;
    if (!waiting.has(xhr)) return;
    clearTimeout(waiting.get(xhr));
    waiting.delete(xhr);
    target.removeAttribute("aria-busy");
    if (!waiting.size) line.hidden = true;
  });

  // A form that is on its way shows it, and a second click on the same button waits: the first is being answered.
  const busy = new Map();
  const free = (button) => {
    clearTimeout(busy.get(button));
    busy.delete(button);
    button.removeAttribute("aria-busy");
    if (!busy.size && !waiting.size) line.hidden = true;
  };
  document.addEventListener("submit", (event) => {
    const form = event.target, button = event.submitter ?? form;
    if (event.defaultPrevented || form.method !== "post") return;
    if (busy.has(button)) { event.preventDefault(); return; }
    button.setAttribute("aria-busy", "true");
    line.hidden = false;
    // A file comes without a new page.
    busy.set(button, setTimeout(() => free(button), 8000));
  });
  window.addEventListener("pageshow", () => { for (const button of [...busy.keys()]) free(button); });

  // An offer of new data lies over the page, so that nothing the reader looks at moves.
  document.body.addEventListener("htmx:load", (event) => {
    for (const offer of event.detail.elt.querySelectorAll(".notice-new[popover]")) offer.showPopover();
  });

  if (!note) return;
  document.body.addEventListener("htmx:sendError", () => { note.hidden = false; });
  document.body.addEventListener("htmx:timeout", () => { note.hidden = false; });
  document.body.addEventListener("htmx:responseError", (event) => {
    // The session looks at another account than this page, and the answer says so.
    if (event.detail.xhr.status === 409) note.querySelector("span").textContent = event.detail.xhr.responseText;
    note.hidden = false;
  });
  document.body.addEventListener("htmx:afterOnLoad", (event) => {
    if (event.detail.successful) note.hidden = true;
  });
});
