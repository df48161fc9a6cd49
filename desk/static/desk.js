// What a page of the desk does by itself: keys, short messages with undo, live changes, dialogs.
(() => {
  "use strict";
  const body = document.body;
  const one = (what, where = document) => where.querySelector(what);
  const all = (what, where = document) => [...where.querySelectorAll(what)];

  const post = (url, values = {}) => htmx.ajax("POST", url, { values, swap: "none", target: "body" });

  // Short messages
  let undo = null;
  let decided = "";
  let asked = "";
  const toast = ({ text, undo: url, values, bad }) => {
    const place = one("#toasts");
    const box = document.createElement("div");
    box.className = bad ? "toast-box bad" : "toast-box";
    const words = document.createElement("span");
    words.textContent = text;
    box.append(words);
    const end = () => { box.remove(); if (undo === back) undo = null; };
    const again = decided;
    const back = url ? () => {
      end();
      asked = again;
      post(url, values || {});
    } : null;
    if (back) {
      undo = back;
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = body.dataset.undo;
      button.addEventListener("click", back);
      box.append(button);
    }
    const close = document.createElement("button");
    close.type = "button";
    close.className = "toast-close";
    close.setAttribute("aria-label", body.dataset.close);
    close.textContent = "×";
    close.addEventListener("click", end);
    box.append(close);
    place.append(box);
    // Whatever stands outside an open dialog is dimmed and cannot be pressed.
    (all("dialog[open]").at(-1) || body).append(place);
    while (place.children.length > 3) place.firstElementChild.remove();
    setTimeout(end, bad ? 12000 : 8000);
  };
  body.addEventListener("toast", (event) => toast(event.detail));
  document.addEventListener("close", (event) => {
    const place = one("#toasts");
    if (event.target.contains(place)) body.append(place);
  }, true);

  // Several at once: which rows are picked, by box, x, or shift for all between two
  const picked = new Set();
  let lastPicked = null;
  const showPicked = () => {
    const bar = one("#several");
    if (!bar) return;
    for (const row of all("#list .row")) {
      const on = picked.has(row.dataset.id);
      row.classList.toggle("picked", on);
      const tick = one("[data-pick-row]", row);
      if (tick) tick.checked = on;
    }
    bar.hidden = picked.size === 0;
    one("#several-count").textContent = String(picked.size);
  };
  const pick = (id, on, range) => {
    const list = all("#list .row").map((row) => row.dataset.id);
    const from = range && lastPicked ? list.indexOf(lastPicked) : list.indexOf(id);
    const to = list.indexOf(id);
    if (from < 0 || to < 0) return;
    for (const one of list.slice(Math.min(from, to), Math.max(from, to) + 1)) on ? picked.add(one) : picked.delete(one);
    lastPicked = id;
    showPicked();
  };
  const pickNone = () => { picked.clear(); lastPicked = null; showPicked(); };
  const together = (values) => {
    if (!picked.size) return;
    post("/inbox/several", { ids: [...picked].join(","), ...values });
    pickNone();
  };
  document.addEventListener("click", (event) => {
    const id = event.target.dataset?.pickRow;
    if (id) pick(id, event.target.checked, event.shiftKey);
  });

  // Putting off
  let snoozing = null;
  const putOff = (values) => {
    one("#later").close();
    if (snoozing === "several") together({ deed: "later", ...values });
    else if (snoozing) post(`/conversations/${snoozing}/later`, one("#talk") ? { ...values, onwards: "1" } : values);
  };
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-later-day]")) return;
    event.preventDefault();
    putOff({ until: "day", day: one("#later-day").value });
  });
  document.addEventListener("keydown", (event) => {
    const box = one("dialog[open] [data-digit]") && !event.target.closest("input") && /^[1-9]$/.test(event.key);
    const button = box && one(`dialog[open] [data-digit="${event.key}"]`);
    if (button) { event.preventDefault(); button.click(); }
  });
  document.addEventListener("change", (event) => {
    const form = event.target.closest("[data-narrow]");
    if (form) form.requestSubmit();
  });

  // Private notes
  const note = () => { const box = one("#note-fold"); if (box) { box.open = true; one("#note-text").focus(); } };
  const mention = (name) => {
    const field = one("#note-text");
    field.value = `${field.value}${field.value && !/\s$/.test(field.value) ? " " : ""}@${name} `;
    field.focus();
  };
  body.addEventListener("noted", () => { const field = one("#note-text"); if (field) { field.value = ""; one("#note-fold").open = false; one("#note-fold summary").focus(); } });

  // The command bar: the rooms of the rail, the keys of the page, and search
  const command = () => {
    const box = one("#command");
    if (!box || box.open) return;
    const list = one("#commands");
    for (const made of all("[data-made]", list)) made.remove();
    const search = list.firstElementChild;
    const add = (text, group, deed, at) => {
      const item = document.createElement("li");
      item.dataset.made = "";
      const option = document.createElement(at ? "a" : "button");
      if (at) option.href = at; else { option.type = "button"; option.addEventListener("click", () => { box.close(); deed(); }); }
      option.className = "option";
      option.dataset.option = text;
      const words = document.createElement("span");
      words.className = "grow";
      words.textContent = text;
      const where = document.createElement("span");
      where.className = "dim";
      where.textContent = group;
      option.append(words, where);
      item.append(option);
      list.insertBefore(item, search);
    };
    const row = chosen && document.getElementById(chosen);
    const seen = new Set();
    for (const button of all("[data-key]", row || one("#talk") || one("#main"))) {
      const text = (button.getAttribute("aria-label") || button.textContent).trim().replace(/\s+\S$/, "");
      if (button.dataset.key && text && !seen.has(text)) { seen.add(text); add(text, list.dataset.here, () => button.click()); }
    }
    if (one("#answer textarea")) add(one("#answer-title").textContent.trim(), list.dataset.here, () => one("#answer textarea").focus());
    for (const link of all("#rail a")) add(one(".grow", link)?.textContent.trim() || link.textContent.trim(), "", null, link.getAttribute("href"));
    one("[data-picker-input]", box).value = "";
    box.showModal();
    narrow(one("[data-picker]", box));
    one("[data-picker-input]", box).focus();
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-search]");
    if (link) { event.preventDefault(); location.href = `/search?q=${encodeURIComponent(one("[data-typed]", link).textContent)}`; }
  });
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") { event.preventDefault(); command(); }
  });

  // Placeholders of a template, put where the writer last stood
  let written = null;
  document.addEventListener("focusin", (event) => { if (event.target.matches("#template-form textarea, #template-form input.form-control")) written = event.target; });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-insert]");
    const field = written?.isConnected ? written : one("#template-form textarea");
    if (!button || !field) return;
    field.setRangeText(button.dataset.insert, field.selectionStart, field.selectionEnd, "end");
    field.focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });

  // Focus that a swap took away comes back to what stands in its place: the same thing drawn anew, else the row
  // that moved up
  let opener = null;
  let before = null;
  const where = () => {
    const on = document.activeElement;
    if (!on || on === body) return null;
    const told = ["href", "name", "value", "data-key", "data-dialog", "hx-get", "type"].filter((name) => on.hasAttribute(name));
    const same = on.tagName + told.map((name) => `[${name}="${CSS.escape(on.getAttribute(name))}"]`).join("");
    return { on, id: on.id, same, near: on.parentElement.closest("[id]")?.id, row: rows().indexOf(on.closest(".row, .deal-card")) };
  };
  const back = (was) => {
    if (!was || was.on.isConnected || document.activeElement !== body) return;
    const near = was.near && document.getElementById(was.near);
    const list = was.row < 0 ? [] : rows();
    const link = list.length ? one(".row-link, .deal-link", list[Math.min(was.row, list.length - 1)]) : null;
    ((was.id && document.getElementById(was.id)) || (near && one(was.same, near)) || link || near || one("#main"))?.focus({ preventScroll: true });
  };
  document.addEventListener("htmx:before:swap", () => { before = where() || before; });
  document.addEventListener("htmx:after:swap", () => { back(before); });
  document.addEventListener("close", () => setTimeout(() => back(opener)), true);

  // Dialogs
  let giving = null;
  const open = (id) => { const box = document.getElementById(id); if (box && !box.open) { opener = where(); box.showModal(); box.append(one("#toasts")); } };
  document.addEventListener("click", (event) => {
    const target = event.target.closest("[data-dialog],[data-assign],[data-give],[data-snooze],[data-later],[data-several],[data-mention],[data-command],[data-close-dialog],[data-toggle]");
    for (const menu of all("details.menu[open],details.why[open]")) if (!menu.contains(event.target)) menu.open = false;
    if (event.target instanceof HTMLDialogElement) event.target.close();
    if (!target) return;
    if (target.dataset.dialog) open(target.dataset.dialog);
    if (target.dataset.assign) { giving = target.dataset.assign; open("give"); }
    if (target.dataset.give !== undefined && giving) {
      one("#give").close();
      if (giving === "several") together({ deed: "give", staff_id: target.dataset.give });
      else post(`/conversations/${giving}/assign`, { staff_id: target.dataset.give });
    }
    if (target.dataset.snooze) { snoozing = target.dataset.snooze; open("later"); }
    if (target.dataset.later) putOff({ until: target.dataset.later });
    if (target.dataset.several) target.dataset.several === "none" ? pickNone() : together({ deed: target.dataset.several });
    if (target.dataset.mention) mention(target.dataset.mention);
    if (target.hasAttribute("data-command")) command();
    if (target.hasAttribute("data-close-dialog")) target.closest("dialog").close();
    if (target.dataset.toggle) {
      const shown = body.classList.toggle("rail-open");
      target.setAttribute("aria-expanded", String(shown));
    }
  });
  document.addEventListener("htmx:after:swap", (event) => {
    const target = event.detail?.ctx?.target;
    if (target && target.id === "ask-body") { open("ask"); const field = one("#ask [data-picker-input]"); if (field) field.focus(); }
    choose(chosen, false);
    showPicked();
  });
  document.addEventListener("submit", (event) => {
    const box = event.target.dataset.closes;
    if (box) setTimeout(() => document.getElementById(box).close());
  });
  body.addEventListener("asked", () => one("#ask").close());
  document.addEventListener("change", (event) => {
    const submits = event.target.closest("form[data-submits]");
    if (submits) submits.requestSubmit();
    const chosen = event.target.closest("select[data-price-into]")?.selectedOptions[0];
    if (chosen) one(event.target.dataset.priceInto, event.target.form).value = chosen.dataset.price || "";
  });
  body.addEventListener("answered", () => {
    const form = one("#answer");
    if (!form) return;
    form.elements.body.value = "";
    form.elements.template.value = "answer";
    form.elements.key.value = Array.from(crypto.getRandomValues(new Uint8Array(12)), (n) => n.toString(16).padStart(2, "0")).join("");
    form.dispatchEvent(new Event("change"));
  });

  body.addEventListener("texted", () => {
    const form = one("#sms");
    if (!form) return;
    form.elements.body.value = "";
    form.elements.key.value = Array.from(crypto.getRandomValues(new Uint8Array(12)), (n) => n.toString(16).padStart(2, "0")).join("");
    form.dispatchEvent(new Event("input"));
  });

  // A letter as it was sent is fetched only when somebody asks for it
  document.addEventListener("toggle", (event) => {
    const fold = event.target;
    if (!fold.open || !fold.dataset || !fold.dataset.frame) return;
    const place = one(".frame-place", fold);
    if (place.firstChild) return;
    const frame = document.createElement("iframe");
    frame.setAttribute("sandbox", "allow-popups allow-popups-to-escape-sandbox");
    frame.title = place.dataset.title;
    frame.src = fold.dataset.frame;
    place.append(frame);
    const ask = one("[data-pictures]", fold);
    if (ask) ask.onclick = () => { frame.src = `${fold.dataset.frame}?pictures=1`; ask.hidden = true; };
  }, true);

  // The board: a card is moved by drag, or by [ and ] to the stage before and after
  const ask = (card, column) => {
    const stage = JSON.parse(column.dataset.stages)[card.dataset.pipeline];
    const place = card.dataset.talk ? `/conversations/${card.dataset.talk}` : `/deals/${card.id.slice(1)}`;
    if (stage && card.closest(".board-column") !== column)
      htmx.ajax("GET", `${place}/move?stage=${stage}`, { target: "#ask-body", swap: "innerHTML" });
  };
  let dragged = null;
  const over = (column) => { for (const other of all(".board-column.over")) other.classList.remove("over"); if (column) column.classList.add("over"); };
  document.addEventListener("dragstart", (event) => {
    dragged = event.target.closest ? event.target.closest(".deal-card") : null;
    if (dragged) { event.dataTransfer.effectAllowed = "move"; event.dataTransfer.setData("text/plain", dragged.id); dragged.classList.add("dragged"); }
  });
  document.addEventListener("dragover", (event) => {
    const column = dragged && event.target.closest(".board-column");
    if (column) { event.preventDefault(); over(column); }
  });
  document.addEventListener("drop", (event) => {
    const column = dragged && event.target.closest(".board-column");
    if (column) { event.preventDefault(); ask(dragged, column); }
  });
  document.addEventListener("dragend", () => { if (dragged) dragged.classList.remove("dragged"); dragged = null; over(null); });
  const shift = (card, by) => {
    const columns = all(".board-column");
    const to = columns[columns.indexOf(card.closest(".board-column")) + by];
    if (to) ask(card, to);
  };

  // Pickers: a field that narrows a list; Enter takes the one that is lit
  const fold = (text) => text.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "").trim();
  const light = (box, option) => {
    for (const other of all("[data-option].on", box)) other.classList.remove("on");
    if (option) { option.classList.add("on"); option.scrollIntoView({ block: "nearest" }); }
  };
  const narrow = (box) => {
    const typed = one("[data-picker-input]", box).value.trim();
    const wanted = fold(typed);
    const words = wanted.split(/\s+/).filter(Boolean);
    let best = null;
    let rank = 9;
    for (const option of all("[data-option]", box)) {
      const text = fold(option.dataset.option || option.textContent);
      const always = option.dataset.always !== undefined;
      const fits = always ? wanted !== "" : words.every((word) => text.includes(word));
      const place = always ? 5 : option.dataset.number === wanted ? 0 : text.startsWith(wanted) ? 1 : text.includes(` ${wanted}`) ? 2 : 3;
      option.closest("li").hidden = !fits;
      if (fits && place < rank) { best = option; rank = place; }
    }
    for (const place of all("[data-typed]", box)) place.textContent = typed;
    light(box, best);
  };
  document.addEventListener("input", (event) => {
    const box = event.target.matches("[data-picker-input]") && event.target.closest("[data-picker]");
    if (box) narrow(box);
  });
  document.addEventListener("keydown", (event) => {
    const box = event.target.matches?.("[data-picker-input]") && event.target.closest("[data-picker]");
    if (!box || !["ArrowDown", "ArrowUp", "Enter"].includes(event.key)) return;
    event.preventDefault();
    const list = all("[data-option]", box).filter((option) => !option.closest("li").hidden);
    const at = list.findIndex((option) => option.classList.contains("on"));
    if (event.key !== "Enter") light(box, list[Math.min(Math.max(at + (event.key === "ArrowDown" ? 1 : -1), 0), list.length - 1)]);
    else if (at >= 0) list[at].click();
  });
  document.addEventListener("toggle", (event) => {
    const box = event.target.open && event.target.matches?.(".picks-other") && one("[data-picker]", event.target);
    if (box) { narrow(box); one("[data-picker-input]", box).focus(); }
  }, true);

  // The review queue: digits choose, Enter takes what is likeliest, what is undone is asked again
  const review = (event) => {
    const box = one("#review");
    if (!box) return false;
    const what = /^[1-9]$/.test(event.key) ? `[data-pick="${event.key}"]` : { s: "[data-skip]", o: "[data-other]" }[event.key];
    const button = event.key === "Enter" && !event.target.closest("a,button,summary") ? one("[data-accept]", box) : what && one(what, box);
    if (button) button.click();
    return Boolean(button);
  };
  document.addEventListener("submit", (event) => {
    const box = event.target.closest("#review");
    if (box) decided = box.dataset.item;
  });
  // The queue draws itself anew after every change; until something else is chosen it shows what was undone.
  document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
    const from = ctx.sourceElement;
    if (!from?.closest?.("#review")) return;
    if (from.id !== "review") asked = "";
    else if (asked) ctx.request.action = ctx.request.action.replace(/item=[^&]*/, `item=${asked}`);
  });

  // Keys
  let chosen = null;
  let prefix = "";
  const rows = () => all("[data-keys=list] .row, [data-keys=list] .deal-card");
  const choose = (id, reveal = true) => {
    for (const row of all(".chosen")) row.classList.remove("chosen");
    const row = id && document.getElementById(id);
    if (!row) return;
    chosen = id;
    row.classList.add("chosen");
    if (reveal) {
      row.scrollIntoView({ block: "nearest" });
      one(".row-link, .deal-link", row).focus({ preventScroll: true });
    }
  };
  const step = (by) => {
    const list = rows();
    if (!list.length) return;
    const at = list.findIndex((row) => row.id === chosen);
    const next = at < 0 ? (by > 0 ? 0 : list.length - 1) : Math.min(Math.max(at + by, 0), list.length - 1);
    choose(list[next].id);
  };
  const press = (key) => {
    const row = chosen && document.getElementById(chosen);
    const button = one(`[data-key=${key}]`, row || one("#talk") || document);
    if (row && key === "e") {
      const list = rows();
      const next = list[list.indexOf(row) + 1] || list[list.indexOf(row) - 1];
      chosen = next ? next.id : null;
    }
    if (button) button.click();
  };
  body.addEventListener("choose", ({ detail }) => choose(detail.id));
  const places = { m: "mine", t: "team", u: "unassigned", a: "all", d: "done", l: "later" };
  document.addEventListener("keydown", (event) => {
    const field = event.target.closest("input:not([type=checkbox]),textarea,select,[contenteditable]");
    if (field) {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && field.form && ["answer", "note"].includes(field.form.id)) field.form.requestSubmit(event.shiftKey ? one("[name=settle]", field.form) : null);
      if (event.key === "Escape") field.blur();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || one("dialog[open]")) return;
    const key = event.key;
    if (review(event)) { event.preventDefault(); return; }
    if (prefix === "g" && places[key]) { prefix = ""; location.href = `/inbox?box=${places[key]}`; return; }
    prefix = key === "g" ? "g" : "";
    if (key === "j" || (key === "ArrowDown" && rows().length)) step(1);
    else if (key === "k" || (key === "ArrowUp" && rows().length)) step(-1);
    else if (key === "e" && !picked.size) press("e");
    else if (key === "u" && one("[data-key=u]")) one("[data-key=u]").click();
    else if (key === "r" && one("#answer")) one("#answer textarea").focus();
    else if (key === "c" && one("#ringing [data-key=c]")) one("#ringing [data-key=c]").click();
    else if (key === "x" && one("#ringing [data-key=x]")) one("#ringing [data-key=x]").click();
    else if (key === "x" && chosen && one("#several")) { const id = document.getElementById(chosen)?.dataset.id; if (id) pick(id, !picked.has(id), false); }
    else if (key === "X" && chosen && one("#several")) { const id = document.getElementById(chosen)?.dataset.id; if (id) pick(id, true, true); }
    else if (key === "Escape" && picked.size) pickNone();
    else if (key === "e" && picked.size) together({ deed: one('#several [data-several="done"]') ? "done" : "reopen" });
    else if (key === "s" && picked.size && one('[data-snooze="several"]')) one('[data-snooze="several"]').click();
    else if (key === "s") press("s");
    else if (key === "i" && one("[data-key=i]")) one("[data-key=i]").click();
    else if (key === "a" && one("#answer [data-key=a]")) one("#answer [data-key=a]").click();
    else if (key === "n" && one("#note-fold")) note();
    else if (key === "l" && one("#answer [data-key=l]")) one("#answer [data-key=l]").click();
    else if ((key === "[" || key === "]") && one(".deal-card.chosen, .deal-card:focus-within")) shift(one(".deal-card.chosen, .deal-card:focus-within"), key === "]" ? 1 : -1);
    else if (key === "z" && undo) undo();
    else if (key === "/" && one("#search-box, #bar-search")) (one("#search-box") || one("#bar-search")).select(), (one("#search-box") || one("#bar-search")).focus();
    else if (key === "?") open("keys");
    else if (key === "Enter" && chosen && document.activeElement === body) one(`#${chosen} .row-link`).click();
    else return;
    event.preventDefault();
  });

  // Lists put in order by dragging, or with Alt and an arrow key
  const putInOrder = (list) => {
    const form = document.getElementById(list.dataset.sort);
    form.elements.order.value = [...list.children].map((item) => item.dataset.key).join(",");
    form.requestSubmit();
  };
  let sorted = null;
  document.addEventListener("dragstart", (event) => {
    sorted = event.target.closest("[data-sort] > li");
    if (sorted) sorted.classList.add("dragged");
  });
  document.addEventListener("dragover", (event) => {
    const over = event.target.closest("[data-sort] > li");
    if (!sorted || !over || over.parentElement !== sorted.parentElement) return;
    event.preventDefault();
    for (const item of over.parentElement.children) item.classList.toggle("over", item === over && item !== sorted);
  });
  document.addEventListener("drop", (event) => {
    const over = event.target.closest("[data-sort] > li");
    if (!sorted || !over || over === sorted || over.parentElement !== sorted.parentElement) return;
    event.preventDefault();
    const down = sorted.compareDocumentPosition(over) & Node.DOCUMENT_POSITION_FOLLOWING;
    over[down ? "after" : "before"](sorted);
    putInOrder(over.parentElement);
  });
  document.addEventListener("dragend", () => {
    if (sorted) sorted.classList.remove("dragged");
    sorted = null;
  });
  document.addEventListener("keydown", (event) => {
    const item = event.altKey && event.target.closest ? event.target.closest("[data-sort] > li") : null;
    const other = item && { ArrowUp: item.previousElementSibling, ArrowDown: item.nextElementSibling }[event.key];
    if (!other) return;
    event.preventDefault();
    other[event.key === "ArrowUp" ? "before" : "after"](item);
    putInOrder(item.parentElement);
  });

  // Live changes
  if (body.dataset.live && one("#lamp") && "EventSource" in window) {
    const talk = one("#talk");
    const lamp = one("#lamp");
    let timer = null;
    const client = one("[data-stream]");
    const shown = talk ? `conversation=${talk.dataset.id}` : client?.dataset.stream;
    // What changed since the page was drawn is told too; a stream that comes back names the last it heard.
    const stream = new EventSource(`${body.dataset.live}?since=${body.dataset.liveAt}${shown ? `&${shown}` : ""}`);
    const tell = (name) => htmx.trigger(body, name, { live: true }, false);
    stream.addEventListener("hello", () => {
      clearTimeout(timer);
      lamp.hidden = true;
    });
    stream.addEventListener("inbox", () => tell("inbox"));
    stream.addEventListener("presence", () => tell("presence"));
    stream.addEventListener("ring", () => tell("ring"));
    stream.addEventListener("remind", () => tell("remind"));
    stream.addEventListener("conversation", () => tell("conversation"));
    stream.addEventListener("error", () => { clearTimeout(timer); timer = setTimeout(() => { lamp.hidden = false; }, 5000); });
    if (talk || client?.dataset.here) {
      let written = 0;
      const sign = (state) => fetch(talk ? `/conversations/${talk.dataset.id}/here` : client.dataset.here, { method: "POST", body: new URLSearchParams({ state }), keepalive: true }).catch(() => {});
      const writing = () => Date.now() - written < 8000;
      const tellHere = () => { if (!document.hidden) sign(writing() ? "writing" : "here"); };
      tellHere();
      setInterval(tellHere, 20000);
      document.addEventListener("input", (event) => {
        if (!event.target.closest("#answer textarea, #note textarea, #sms textarea") || writing()) return;
        written = Date.now();
        sign("writing");
        setTimeout(tellHere, 8500);
      });
      document.addEventListener("visibilitychange", () => sign(document.hidden ? "gone" : "here"));
      addEventListener("pagehide", () => { sign("gone"); });
    }
    addEventListener("pagehide", () => stream.close());
  }
})();
