// From one conversation to the next of the list it was opened from; what was told is told on the page after.
(() => {
  "use strict";
  const body = document.body;
  const one = (what, where = document) => where.querySelector(what);
  const all = (what, where = document) => [...where.querySelectorAll(what)];
  const read = (name) => { try { return JSON.parse(sessionStorage.getItem(name)); } catch { return null; } };
  const write = (name, value) => { try { sessionStorage.setItem(name, JSON.stringify(value)); } catch { /* a browser that keeps nothing walks without */ } };

  // The list as it was when somebody left it for a conversation
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("#list a.row-link");
    if (!link) return;
    const ids = all("#list .row[data-id]").map((row) => row.dataset.id);
    write("walk", { place: location.pathname + location.search, ids: [...new Set(ids)] });
  }, true);

  // What the last page had to tell
  let said = null;
  body.addEventListener("toast", (event) => { said = event.detail; });
  const carry = () => { if (said) write("said", said); };
  const told = read("said");
  if (told) {
    sessionStorage.removeItem("said");
    body.dispatchEvent(new CustomEvent("toast", { detail: told }));
  }

  // Words that were taken back stand in their field again
  body.addEventListener("rewrite", ({ detail }) => {
    carry();
    if (location.pathname === detail.at) location.reload();
    else location.href = detail.at;
  });

  // What is written a moment before leaving is kept too
  const form = one("#answer");
  let dirty = false;
  if (form) {
    form.addEventListener("input", () => { dirty = true; });
    document.addEventListener("htmx:before:request", ({ detail }) => { if (detail?.ctx?.sourceElement?.id === "preview") dirty = false; });
    body.addEventListener("answered", () => { dirty = false; });
    form.addEventListener("submit", () => { dirty = false; });
    addEventListener("pagehide", () => {
      if (dirty) fetch(one("#preview").getAttribute("hx-post"), { method: "POST", body: new URLSearchParams(new FormData(form)), keepalive: true }).catch(() => {});
    });
  }

  // Back on the list, the row that was left is chosen again, or the one after it
  const talk = one("#talk");
  const walk = read("walk");
  if (!talk) {
    if (!walk?.last || walk.place !== location.pathname + location.search) return;
    const id = walk.ids.slice(walk.ids.indexOf(walk.last)).find((one) => document.getElementById(`c${one}`));
    write("walk", { ...walk, last: null });
    if (id) body.dispatchEvent(new CustomEvent("choose", { detail: { id: `c${id}` } }));
    return;
  }

  const at = walk ? walk.ids.indexOf(talk.dataset.id) : -1;
  if (at < 0) return;
  write("walk", { ...walk, last: talk.dataset.id });
  const step = (by) => {
    const id = walk.ids[at + by];
    if (id || by > 0) location.href = id ? `/conversations/${id}` : walk.place;
  };
  const show = () => {
    const back = one("#talk-head [data-key=u]");
    if (back) back.href = walk.place;
    const bar = one("#walk");
    if (!bar) return;
    bar.hidden = false;
    one("[data-step='-1']", bar).disabled = at === 0;
    one("[data-step='1']", bar).disabled = at === walk.ids.length - 1;
    one(".walk-place", bar).textContent = `${at + 1} / ${walk.ids.length}`;
  };
  show();
  document.addEventListener("htmx:after:swap", show);
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-step]");
    if (button) step(Number(button.dataset.step));
  });
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("input:not([type=checkbox]),textarea,select,[contenteditable]") || event.ctrlKey || event.metaKey || event.altKey || one("dialog[open]")) return;
    if (event.key === "j" && at < walk.ids.length - 1) step(1);
    else if (event.key === "k" && at > 0) step(-1);
  });
  body.addEventListener("onwards", () => { carry(); step(1); });
})();
