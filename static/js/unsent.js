// Puts back into a form what was typed there before its reader had to sign in again.
document.addEventListener("DOMContentLoaded", () => {
  const { action, typed } = JSON.parse(document.getElementById("unsent").textContent);
  const leadsTo = (form) => { const { pathname, search } = new URL(form.action); return pathname + search; };
  const form = [...document.forms].find((one) => one.method === "post" && leadsTo(one) === action);
  if (!form) return;
  for (const field of form.elements) {
    if (!field.name || ["hidden", "password", "file", "submit", "button"].includes(field.type)) continue;
    const values = typed[field.name] ?? [];
    if (field.type === "checkbox" || field.type === "radio") field.checked = values.includes(field.value);
    else if (field.type === "select-multiple") for (const option of field.options) option.selected = values.includes(option.value);
    else if (values.length) field.value = values.shift();
  }
  form.closest("details")?.setAttribute("open", "");
});
