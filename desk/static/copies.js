// Who else gets a letter: "Reply to all" and the client's contacts go into the field with one press.
(() => {
  "use strict";
  const box = document.querySelector("[data-copies]");
  if (!box) return;
  const field = box.querySelector("[name=copies]");
  const fold = box.querySelector("details");
  const addresses = (line) => (line.toLowerCase().match(/[^\s<>,;"]+@[^\s<>,;"]+/g) || []);
  const parts = (line) => line.match(/(?:"(?:[^"\\]|\\.)*"|[^",;])+/g) || [];

  const add = (line) => {
    const there = new Set(addresses(field.value));
    const fresh = parts(line).map((one) => one.trim()).filter((one) => addresses(one).some((address) => !there.has(address)));
    const kept = field.value.trim().replace(/[,;\s]+$/, "");
    field.value = [kept, ...fresh].filter(Boolean).join(", ");
    fold.open = true;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };
  box.addEventListener("click", (event) => {
    const pressed = event.target.closest("[data-copy]");
    if (!pressed) return;
    event.preventDefault();
    add(pressed.dataset.copy);
    if (pressed.dataset.key) field.form.elements.body.focus();
    else field.focus();
  });
  fold.addEventListener("toggle", () => { if (fold.open && !field.value && fold.contains(document.activeElement)) field.focus(); });
  // Before the form is made ready for the next answer, whose copies are its own
  document.addEventListener("answered", () => { field.value = ""; fold.open = false; }, true);
})();
