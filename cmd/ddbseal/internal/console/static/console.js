// Live updates only: every page works without this file.
"use strict";

// The path of all pages, which this script is below too.
const root = new URL("..", document.currentScript.src).pathname;

// A server that goes away shows a banner; the page recovers by itself.
(() => {
  const gone = document.getElementById("gone");
  const out = document.getElementById("out");
  const signedIn = document.getElementById("user") !== null;
  const ask = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(root + "alive", { cache: "no-store", signal: AbortSignal.timeout(3000) });
      gone.hidden = true;
      if (signedIn) out.hidden = answer.status !== 202;
    } catch {
      gone.hidden = false;
    }
  };
  setInterval(ask, 3000);
  document.addEventListener("visibilitychange", ask);
})();

// Bytes and fields of the item inspector light up together.
(() => {
  const light = (id, on) => {
    for (const e of document.querySelectorAll(`[data-field="${CSS.escape(id)}"]`)) e.classList.toggle("lit", on);
  };
  for (const e of document.querySelectorAll("[data-field]")) {
    e.addEventListener("mouseenter", () => light(e.dataset.field, true));
    e.addEventListener("mouseleave", () => light(e.dataset.field, false));
  }
})();

// The lab opens the chapter of the step that has just run.
(() => {
  const step = location.hash.startsWith("#step-") && document.getElementById(location.hash.slice(1));
  if (!step) return;
  step.closest("details").open = true;
  step.scrollIntoView({ block: "center" });
})();

// Events as they happen. Values are put in as text, never as markup.
(() => {
  const live = document.getElementById("live");
  if (!live) return;
  const rows = document.getElementById("events");
  const limit = 300;
  const query = new URLSearchParams(live.dataset.query);
  query.set("after", live.dataset.after);
  const cell = (row, text) => {
    const td = row.insertCell();
    td.textContent = text;
    return td;
  };
  const source = new EventSource(root + "audit/events?" + query);
  const say = (text, kind) => { live.textContent = text; live.className = "chip " + kind; };
  source.onopen = () => say("live", "allowed");
  source.onerror = () => say("not live", "unsigned");
  source.onmessage = (message) => {
    const e = JSON.parse(message.data);
    if (rows.querySelector(`[data-id="${CSS.escape(e.id)}"]`)) return;
    const none = document.getElementById("none");
    if (none) none.remove();
    const row = rows.insertRow(0);
    row.dataset.id = e.id;
    row.className = "fresh";
    const time = document.createElement("time");
    time.textContent = e.time;
    time.dateTime = e.time + "Z";
    row.insertCell().append(time);
    cell(row, e.who);
    cell(row, e.service + ":" + e.event);
    cell(row, e.via || "directly");
    cell(row, e.context).className = "context";
    const last = row.insertCell();
    const chip = document.createElement("span");
    chip.className = "chip " + e.outcome;
    chip.textContent = e.outcome;
    last.append(chip);
    if (e.reasons) {
      const details = document.createElement("details");
      const summary = document.createElement("summary");
      summary.textContent = "why";
      const list = document.createElement("ul");
      list.className = "reasons";
      for (const reason of e.reasons) {
        const li = document.createElement("li");
        li.textContent = reason;
        list.append(li);
      }
      details.append(summary, list);
      last.append(details);
    } else if (e.error) {
      const error = document.createElement("span");
      error.className = "quiet small";
      error.textContent = e.error;
      last.append(document.createElement("br"), error);
    }
    const heads = rows.parentElement.tHead.rows[0].cells;
    for (const c of row.cells) c.dataset.label = heads[c.cellIndex].textContent;
    while (rows.rows.length > limit) rows.deleteRow(-1);
  };
})();

// The picture follows changes. It comes as SVG from this console, with its texts
// escaped; what is not SVG is not put in.
(() => {
  const chip = document.getElementById("follow");
  if (!chip) return;
  const say = (text, kind) => { chip.textContent = text; chip.className = "chip " + kind; chip.hidden = false; };
  const source = new EventSource(root + "picture/events?" + new URLSearchParams({ after: chip.dataset.after, live: chip.dataset.live }));
  source.onopen = () => say("live", "allowed");
  source.onerror = () => say("not live", "unsigned");
  source.onmessage = (message) => {
    const change = JSON.parse(message.data);
    if (change.reload) return location.reload();
    const svg = new DOMParser().parseFromString(change.svg, "image/svg+xml").documentElement;
    if (svg.nodeName !== "svg") return;
    document.getElementById("picture").replaceChildren(document.importNode(svg, true));
    document.getElementById("words").textContent = change.text;
    document.getElementById("changed").textContent = "The picture has changed.";
  };
})();
