// Files from one's own computer beside a letter: chosen, dropped or pasted, they go up at once.
(() => {
  "use strict";
  const box = document.querySelector("[data-enclose]");
  if (!box) return;
  const form = box.closest("form");
  const input = box.querySelector("input[type=file]");
  const list = box.querySelector("#enclosures");
  const busy = box.querySelector("[data-busy]");
  const tell = (text) => document.body.dispatchEvent(new CustomEvent("toast", { detail: { text } }));

  // With scripts the letter itself carries only the numbers of its files
  form.enctype = "application/x-www-form-urlencoded";
  input.removeAttribute("name");
  box.classList.add("alive");

  let pending = 0;
  let line = Promise.resolve();
  let faults = [];
  const ask = async (at, given) => {
    try {
      const answer = await fetch(at, { method: "POST", headers: { "HX-Request": "true" }, body: given });
      if (answer.redirected || ![200, 422].includes(answer.status)) throw new Error(String(answer.status));
      list.innerHTML = await answer.text();
      if (answer.status === 422) faults.push(list.querySelector(".fault"));
      list.prepend(...faults);
    } catch {
      tell(box.dataset.failed);
    } finally {
      pending -= 1;
      busy.hidden = pending === 0;
    }
  };
  const soon = (at, given) => {
    pending += 1;
    busy.hidden = false;
    line = line.then(() => ask(at, given));
    return line;
  };
  const enclose = (files) => {
    if (pending === 0) faults = [];
    for (const file of files) {
      if (file.size > Number(box.dataset.most)) { tell(box.dataset.large); continue; }
      const given = new FormData();
      given.append("attach", file, file.name);
      soon(box.dataset.enclose, given);
    }
  };

  input.addEventListener("change", () => { enclose([...input.files]); input.value = ""; });
  // Choosing a file is nothing that the preview has to hear of
  for (const name of ["input", "change"]) input.addEventListener(name, (event) => event.stopPropagation());
  const brings = (event) => event.dataTransfer?.types.includes("Files");
  form.addEventListener("dragover", (event) => {
    if (!brings(event)) return;
    event.preventDefault();
    form.classList.add("dropping");
  });
  form.addEventListener("dragleave", (event) => { if (!form.contains(event.relatedTarget)) form.classList.remove("dropping"); });
  form.addEventListener("drop", (event) => {
    if (!brings(event)) return;
    event.preventDefault();
    form.classList.remove("dropping");
    enclose([...event.dataTransfer.files]);
  });
  form.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files || [])];
    if (!files.length || event.clipboardData.types.includes("text/plain")) return;
    event.preventDefault();
    enclose(files);
  });
  list.addEventListener("click", (event) => {
    const button = event.target.closest("button[formaction]");
    if (!button) return;
    event.preventDefault();
    faults = [];
    soon(button.getAttribute("formaction"), new FormData()).then(() => input.focus());
  });
  document.addEventListener("submit", (event) => {
    if (event.target !== form || !pending) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    tell(box.dataset.wait);
  }, true);
  document.body.addEventListener("answered", () => { list.replaceChildren(); });
})();
