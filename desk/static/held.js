// A live change does not draw over what somebody is filling in: it waits, and the page says that there is news.
(() => {
  "use strict";
  const body = document.body;
  const FIELD = "input:not([type=hidden],[type=submit],[type=button]),textarea,select";
  const TYPED = "input:not([type=checkbox],[type=radio]),textarea,select";
  const all = (what, where) => [...where.querySelectorAll(what)];

  // Which fields somebody has changed; what was sent is not being filled in any more
  const edited = new WeakSet();
  const note = (event) => { if (event.target.matches?.(FIELD)) edited.add(event.target); };
  document.addEventListener("input", note, true);
  document.addEventListener("change", note, true);
  document.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
    if (!ctx.response || ctx.response.status >= 400) return;
    const from = ctx.sourceElement;
    const form = ctx.sourceEvent?.type === "submit" && (from.form || from.closest("form"));
    for (const field of form ? form.elements : [from]) edited.delete(field);
  });
  const counts = (field) => field.form && !field.form.matches("[data-narrow]") && !field.matches("[data-picker-input],[type=search]");
  const differs = (field) => {
    if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
    if (field.type === "file") return field.files.length > 0;
    if (field.tagName !== "SELECT") return field.value !== field.defaultValue;
    const chosen = [...field.options].findIndex((option) => option.defaultSelected);
    return field.selectedIndex !== Math.max(chosen, 0);
  };
  const busy = (place) => {
    const at = document.activeElement;
    if (at && place.contains(at) && at.matches(TYPED) && counts(at)) return true;
    if (place.querySelector(".inline-edit, .dragged")) return true;
    return all(FIELD, place).some((field) => edited.has(field) && counts(field) && differs(field));
  };

  // What a piece of a page says, without what fetches itself and what is different every time
  const shape = (piece) => {
    const copy = piece.cloneNode(true);
    for (const own of all("[hx-trigger^=load]", copy)) own.replaceChildren();
    for (const noise of all(".news, input[type=hidden], script", copy)) noise.remove();
    const values = all("[href], input, option", copy).map((one) => one.getAttribute("href") ?? one.getAttribute("value"));
    return JSON.stringify([copy.textContent.replace(/\s+/g, " ").trim(), values]);
  };

  // What is unfolded stays so
  const folds = (piece, id) => all("details", piece).map((fold) => {
    const near = fold.parentElement?.closest("[id]");
    const within = near && near.id !== id && piece.contains(near) ? near.id : "";
    return [`${within}|${fold.querySelector("summary")?.textContent.trim()}`, fold];
  });
  const keepOpen = (place, piece) => {
    const open = new Set(folds(place, place.id).filter(([, fold]) => fold.open).map(([name]) => name));
    for (const [name, fold] of folds(piece, place.id)) if (open.has(name)) fold.open = true;
  };

  const waiting = new Map();
  const forget = (place) => { waiting.get(place)?.bar.remove(); waiting.delete(place); };
  const show = (place) => {
    const { event } = waiting.get(place);
    forget(place);
    htmx.trigger(body, event, { live: true, show: place }, false);
  };
  const tell = (place, event) => {
    if (waiting.has(place)) return;
    const bar = document.createElement("p");
    const button = document.createElement("button");
    bar.className = "news";
    bar.setAttribute("role", "status");
    button.type = "button";
    button.className = "btn btn-sm";
    button.textContent = body.dataset.news;
    button.addEventListener("click", () => show(place));
    bar.append(button);
    const quiet = Boolean(place.querySelector(".dragged"));
    waiting.set(place, { event, bar, quiet });
    if (!quiet) place.prepend(bar);
  };
  document.addEventListener("htmx:before:swap", ({ detail: { ctx, tasks } }) => {
    const { type, detail } = ctx.sourceEvent || {};
    if (!detail?.live) return;
    for (const task of [...tasks]) {
      const place = typeof task.target === "string" ? document.querySelector(task.target) : task.target;
      if (!place) continue;
      if (detail.show !== place && busy(place)) {
        tasks.splice(tasks.indexOf(task), 1);
        if (shape(place) === shape(task.fragment)) forget(place);
        else tell(place, type);
      } else {
        forget(place);
        keepOpen(place, task.fragment);
      }
    }
  });

  // Once nobody fills anything in, what waits is shown; a little later, so that no click misses its button
  const settle = () => setTimeout(() => {
    for (const [place, { bar, quiet }] of [...waiting]) {
      if (!place.isConnected || !(bar.isConnected || quiet)) waiting.delete(place);
      else if (!busy(place)) show(place);
    }
  }, 1500);
  document.addEventListener("focusout", settle);
  document.addEventListener("dragend", settle);
})();
