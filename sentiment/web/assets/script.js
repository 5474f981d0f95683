// The pages work without this: it only spares a click.
for (const form of document.querySelectorAll("form[data-auto]")) {
  const button = form.querySelector("button");
  button.hidden = true;
  form.addEventListener("change", () => {
    for (const field of form.elements) {
      if (field.name && !field.value) field.disabled = true; // short addresses to send on
    }
    const period = form.elements.period;
    if (period && period.value) {
      for (const name of ["from", "to"]) {
        if (form.elements[name]) form.elements[name].disabled = true;
      }
    }
    form.submit();
  });
}
// A dialog asks before something is changed that cannot be taken back.
for (const form of document.querySelectorAll("form[data-ask]")) {
  form.addEventListener("submit", (event) => {
    if (!window.confirm(form.dataset.ask)) event.preventDefault();
  });
}
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-auto]")) {
    for (const field of form.elements) field.disabled = false;
  }
});
