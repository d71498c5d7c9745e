// What a page does beyond being read: it follows its study, draws pictures when they are seen, and keeps a few habits.
"use strict";

const main = document.getElementById("main");
const root = document.documentElement;

function kept(key, value) {
  try {
    if (value === undefined) return localStorage.getItem(key);
    localStorage.setItem(key, value);
  } catch { /* no storage here */ }
  return null;
}

// --- moments in the reader's own time zone -------------------------------------------------------------------

const clock = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" });
function localise(within) {
  for (const time of within.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    time.title = time.textContent;
    time.textContent = clock.format(at);
  }
}

// --- light and dark --------------------------------------------------------------------------------------------

const theme = document.getElementById("theme");
const grounds = ["auto", "light", "dark"];
const prefersDark = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : prefersDark.matches;
function showGround() {
  const now = root.dataset.theme || "auto";
  theme.textContent = now[0].toUpperCase() + now.slice(1);
  theme.setAttribute("aria-label", `Ground: ${now}; press to change`);
}
theme.hidden = false;
showGround();
theme.addEventListener("click", () => {
  const next = grounds[(grounds.indexOf(root.dataset.theme || "auto") + 1) % grounds.length];
  if (next === "auto") delete root.dataset.theme; else root.dataset.theme = next;
  kept("tunesmith-theme", next);
  showGround();
  redraw();
});
prefersDark.addEventListener("change", () => redraw());

// --- who writes --------------------------------------------------------------------------------------------------

function sayWho(within) {
  const who = kept("tunesmith-who") || "";
  for (const field of within.querySelectorAll("[data-who]")) if (!field.value) field.value = who;
}
document.addEventListener("change", (event) => {
  if (event.target.matches("input[data-who]")) kept("tunesmith-who", event.target.value.trim());
});

// --- a page follows its study -----------------------------------------------------------------------------------

const pulse = document.getElementById("pulse");
let source = null;
let seen = main.dataset.seen;
let busy = false;
let again = false;
let gone = false;

function exchange(fresh) {
  for (const next of fresh.querySelectorAll("[data-live]")) {
    const now = document.getElementById(next.id);
    if (!now) continue;
    localise(next);
    sayWho(next);
    if (now.contains(document.activeElement) && document.activeElement.matches("input, select, textarea")) continue;
    const ticked = new Set([...now.querySelectorAll("input[type=checkbox]:checked")].map((box) => box.value));
    for (const box of next.querySelectorAll("input[type=checkbox]")) if (ticked.has(box.value)) box.setAttribute("checked", "");
    const open = [...now.querySelectorAll("details")].map((one) => one.open);
    next.querySelectorAll("details").forEach((one, i) => { one.open = one.open || !!open[i]; });
    if (now.outerHTML === next.outerHTML) continue;
    const places = [...now.querySelectorAll(".scroll")].map((one) => [one.scrollLeft, one.scrollTop]);
    const focused = now.contains(document.activeElement) ? focusPath(now, document.activeElement) : null;
    const fitted = document.importNode(next, true);
    now.replaceWith(fitted);
    fitted.querySelectorAll(".scroll").forEach((one, i) => { if (places[i]) [one.scrollLeft, one.scrollTop] = places[i]; });
    if (focused) {
      const same = [...fitted.querySelectorAll(focused.what)][focused.place] || (fitted.matches(focused.what) ? fitted : null);
      if (same) same.focus({ preventScroll: true });
    }
  }
}

function focusPath(region, element) {
  const what = element.tagName.toLowerCase();
  return { what, place: [...region.querySelectorAll(what)].indexOf(element) };
}

async function refresh() {
  if (busy) { again = true; return; }
  busy = true;
  try {
    const response = await fetch(location.href, { headers: { accept: "text/html" }, credentials: "same-origin" });
    const text = await response.text();
    const fresh = new DOMParser().parseFromString(text, "text/html");
    if (response.ok) {
      say("");
      seen = fresh.getElementById("main").dataset.seen;
      exchange(fresh);
      for (const figure of document.querySelectorAll("[data-picture]")) figure.dataset.stale = "1";
      drawSeen();
    } else {
      const sentence = fresh.querySelector("main .lead");
      say(sentence ? sentence.textContent : "this page is not here any more");
      gone = response.status === 404;
      if (gone) stop(); else later("refresh", 3000, refresh);
    }
  } catch {
    say("the dashboard does not answer");
  } finally {
    busy = false;
    if (again) { again = false; refresh(); }
  }
}

const timers = {};
function later(what, ms, work) {
  clearTimeout(timers[what]);
  timers[what] = setTimeout(work, ms);
}

function say(sentence) {
  pulse.textContent = sentence;
  pulse.hidden = !sentence;
}

function follow() {
  if (source || gone || !main.dataset.events || document.hidden) return;
  source = new EventSource(`${main.dataset.events}?since=${encodeURIComponent(seen)}`);
  source.addEventListener("hello", (event) => {
    say("");
    if (event.data !== root.dataset.boot) location.reload();
  });
  source.addEventListener("change", (event) => { if (event.data !== seen) refresh(); });
  source.addEventListener("error", () => {
    say("the dashboard does not answer");
    if (source.readyState !== EventSource.CLOSED) return; // else the browser does not try again
    stop();
    later("follow", 3000, () => { refresh(); follow(); });
  });
}
function stop() {
  if (source) source.close();
  source = null;
}
// a page that nobody sees holds no connection: a browser has few of them
document.addEventListener("visibilitychange", () => { if (document.hidden) stop(); else { follow(); drawSeen(); } });

// --- pictures --------------------------------------------------------------------------------------------------------

let library = null;
let templates = null;
const visible = new Set();

function load() {
  library ??= new Promise((done, fail) => {
    const script = document.createElement("script");
    script.src = "/static/plotly.js";
    script.onload = done;
    script.onerror = fail;
    document.head.append(script);
  });
  templates ??= fetch("/pictures/theme.json").then((response) => response.json());
  return Promise.all([library, templates]);
}

async function draw(figure) {
  if (figure.dataset.busy) return;
  figure.dataset.busy = "1";
  delete figure.dataset.stale;
  const caption = figure.querySelector("figcaption");
  const plot = figure.querySelector(".plot");
  if (!figure.spec) caption.textContent = `${plot.getAttribute("aria-label")}: on its way …`;
  try {
    const [[, grounds], response] = await Promise.all([load(), fetch(figure.dataset.picture)]);
    const spec = await response.json();
    if (!response.ok) {
      caption.textContent = spec.detail;
      caption.hidden = false;
      figure.classList.add("none");
      return;
    }
    figure.spec = spec;
    figure.classList.remove("none");
    caption.hidden = true;
    await paint(figure, grounds);
    const title = spec.layout && spec.layout.title && (spec.layout.title.text || spec.layout.title);
    if (typeof title === "string") plot.setAttribute("aria-label", title.replace(/<[^>]*>/g, " "));
    const wait = response.headers.get("x-again-s");
    if (wait) later(figure.id, 1000 * Math.max(1, Number(wait)), () => { figure.dataset.stale = "1"; if (!document.hidden) drawSeen(); });
  } catch {
    caption.textContent = "the picture did not come";
    caption.hidden = false;
  } finally {
    delete figure.dataset.busy;
  }
}

async function paint(figure, grounds) {
  const plot = figure.querySelector(".plot");
  const layout = { ...figure.spec.layout, template: isDark() ? grounds.dark : grounds.light, autosize: true };
  plot.style.height = `${layout.height || 400}px`;
  await window.Plotly.react(plot, figure.spec.data, layout, { displaylogo: false, responsive: true, displayModeBar: false });
}

function drawSeen() {
  for (const figure of visible) if (!figure.spec || figure.dataset.stale) draw(figure);
}
async function redraw() {
  if (!templates) return;
  const grounds = await templates;
  for (const figure of document.querySelectorAll("[data-picture]")) if (figure.spec) paint(figure, grounds);
}

const watcher = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (entry.isIntersecting) visible.add(entry.target); else visible.delete(entry.target);
  }
  drawSeen();
}, { rootMargin: "300px" });

// --- begin ---------------------------------------------------------------------------------------------------------------

localise(document);
sayWho(document);
for (const figure of document.querySelectorAll("[data-picture]")) watcher.observe(figure);
follow();
