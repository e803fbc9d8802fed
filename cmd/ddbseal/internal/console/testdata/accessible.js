// Returns what is wrong with the page for people who do not see it, do not see
// it well, or use a keyboard.
(() => {
  const found = [];
  const name = (e) => e.outerHTML.slice(0, 90);
  const visible = (e) => e.checkVisibility() && e.getClientRects().length > 0;
  if (!document.documentElement.lang) found.push("the page has no language");
  if (document.querySelectorAll("h1").length !== 1) found.push("the page has not exactly one h1");
  if (!document.querySelector("main")) found.push("the page has no main");
  let level = 0;
  for (const h of document.querySelectorAll("h1, h2, h3, h4")) {
    const next = Number(h.tagName[1]);
    if (next > level + 1) found.push("a heading skips a level: " + name(h));
    level = next;
  }
  const ids = new Set();
  for (const e of document.querySelectorAll("[id]")) {
    if (ids.has(e.id)) found.push("two elements have the id " + e.id);
    ids.add(e.id);
  }
  for (const e of document.querySelectorAll("input:not([type=hidden]), select, textarea")) {
    if (e.labels.length === 0 && !e.getAttribute("aria-label")) found.push("no label: " + name(e));
  }
  for (const e of document.querySelectorAll("button, a[href], summary")) {
    if (!(e.textContent.trim() || e.getAttribute("aria-label"))) found.push("no text: " + name(e));
  }
  for (const e of document.querySelectorAll("img:not([alt])")) found.push("no alternative text: " + name(e));
  for (const e of document.querySelectorAll("table")) if (!e.querySelector("thead th[scope=col]")) found.push("a table without headings");
  for (const e of document.querySelectorAll("[tabindex]")) if (e.tabIndex > 0) found.push("a tab order of its own: " + name(e));
  // What scrolls must be reachable by keyboard.
  for (const e of document.querySelectorAll("main *")) {
    const style = getComputedStyle(e);
    if (visible(e) && /auto|scroll/.test(style.overflowX + style.overflowY) && (e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1) && e.tabIndex < 0) found.push("scrolls, but not by keyboard: " + name(e));
  }
  if (document.documentElement.scrollWidth > document.documentElement.clientWidth) {
    const wide = [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > document.documentElement.clientWidth && !e.parentElement.closest(".scroll, pre, .hex"));
    found.push(`the page is ${document.documentElement.scrollWidth} wide: ` + wide.map(name).join(" "));
  }
  for (const e of document.querySelectorAll(".scroll:has(> table)")) {
    if (innerWidth < 600 && visible(e) && e.scrollWidth > e.clientWidth + 1) found.push(`a column is cut, ${e.scrollWidth} of ${e.clientWidth}: ` + name(e));
  }
  // Contrast of every text with what is behind it: WCAG 2.2, 4.5 to 1, for
  // large text 3 to 1.
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const brush = canvas.getContext("2d", { willReadFrequently: true });
  const parse = (color) => {
    brush.clearRect(0, 0, 1, 1);
    brush.fillStyle = color;
    brush.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = brush.getImageData(0, 0, 1, 1).data;
    return { r, g, b, a: a / 255 };
  };
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c.a === 1) return c;
      if (c.a > 0) return null; // mixed: not used on these pages
    }
    return { r: 255, g: 255, b: 255 };
  };
  const light = ({ r, g, b }) => {
    const f = (x) => ((x /= 255) <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
    return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const seen = new Set();
  let texts = 0;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const e = node.parentElement;
    if (!node.data.trim() || seen.has(e) || !visible(e) || e.closest("option, script, style")) continue;
    seen.add(e);
    texts++;
    const style = getComputedStyle(e);
    const front = parse(style.color);
    const back = behind(e);
    if (!back || front.a < 1) {
      found.push("mixed colours: " + name(e));
      continue;
    }
    const [a, b] = [light(front), light(back)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) found.push(`contrast ${ratio.toFixed(2)}: ` + name(e));
  }
  if (texts < 5) found.push("hardly any text was found");
  return found;
})();
