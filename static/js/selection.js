// Selecting rows: all at once, counting them, and copying their addresses where the browser lets a page do so. Without
// it the form leads to a page with the same addresses.
(() => {
  const chosen = (form) => [...form.querySelectorAll("tbody .check input:checked")];

  // A person may stand in several groups.
  const addresses = (form) => [...new Set(chosen(form).map((box) => box.dataset.email).filter(Boolean))];

  // People whose address is none that a mail program takes, or who have none.
  const withoutAddress = (form) => new Set(chosen(form).filter((box) => !box.dataset.email).map((box) => box.value)).size;

  const say = (button, without) => {
    const label = button.querySelector("span"), before = label.textContent;
    label.textContent = without ? `${button.dataset.copied}; ${without} ${button.dataset.leftOut}` : button.dataset.copied;
    const said = button.parentElement.querySelector("[data-copy-said]");
    if (said) said.textContent = label.textContent;
    setTimeout(() => { label.textContent = before; if (said) said.textContent = ""; }, 2500);
  };

  document.addEventListener("change", (event) => {
    const form = event.target.closest("[data-selection]");
    if (!form) return;
    const all = form.querySelector("[data-select-all]"), boxes = [...form.querySelectorAll("tbody .check input")];
    if (event.target === all) boxes.forEach((box) => { box.checked = all.checked; });
    const count = chosen(form).length;
    all.checked = count > 0 && count === boxes.length;
    all.indeterminate = count > 0 && count < boxes.length;
    // The bar's own count is drawn by the style sheet, which is not read aloud as it changes.
    form.querySelector("[data-copy-said]").textContent = `${count} ${form.querySelector("[data-picked]").textContent}`;
  });

  document.addEventListener("reset", (event) => {
    const all = event.target.querySelector("[data-select-all]");
    if (all) all.indeterminate = false;
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy], [data-copy-text]");
    if (!button || !navigator.clipboard) return;
    const form = button.closest("[data-selection]");
    const text = form ? addresses(form).join("; ") : document.querySelector("[data-addresses]").value;
    if (!text) return;
    event.preventDefault();
    navigator.clipboard.writeText(text).then(() => say(button, form ? withoutAddress(form) : 0), () => { if (form) form.submit(); });
  });

  document.addEventListener("DOMContentLoaded", () => {
    const copy = document.querySelector("[data-copy-text]");
    if (copy) copy.hidden = !navigator.clipboard;
  });
})();
