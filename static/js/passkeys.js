// Passkeys: forms that need a script are shown only with one, and a browser's refusal becomes a sentence.
// allauth's own scripts speak to the browser; they tell of failures by the event "allauth.error".
document.querySelectorAll(".needs-script").forEach((form) => {
  const works = window.PublicKeyCredential && !/^[\d.]+$|:/.test(location.hostname);
  form.hidden = !works;
  form.classList.toggle("is-ready", Boolean(works));
});

document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  const said = document.getElementById("passkey-said");
  if (said) said.hidden = false;
});
