// Fills in the browser's own time zone where nobody chose one yet.
(() => {
  const field = document.getElementById("id_time_zone");
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const isKnown = [...(field?.list?.options ?? [])].some((option) => option.value === zone);
  if (field && isKnown && ["", "UTC"].includes(field.value)) field.value = zone;
})();
