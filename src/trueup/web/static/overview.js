// The overview, live: the server renders, this puts its rows in place of the old ones.
import { follow, seldom, tick } from "./live.js";

const rows = document.getElementById("rows");
const head = document.getElementById("head");
const MOST = 500;
const PAUSE_MS = 300;

/** What a row says, without how long ago: that alone is no change. */
const sayings = (row) => row.outerHTML.replace(/<time.*?<\/time>/s, "").replace(" has-changed", "");

function replaceRows(fresh) {
  const known = new Map([...rows.children].filter((one) => one.id).map((one) => [one.id, one]));
  const focused = document.activeElement?.closest?.(".row")?.id;
  const next = [...fresh.children].map((one) => {
    const old = known.get(one.id);
    if (!old) { if (known.size) one.classList.add("has-changed"); return one; }
    if (sayings(old) === sayings(one)) return old;
    if (old.dataset.is !== one.dataset.is) one.classList.add("has-changed");
    return one;
  });
  rows.replaceChildren(...next);
  if (focused) document.getElementById(focused)?.querySelector("a")?.focus({ preventScroll: true });
  tick(rows);
  watchEnd();
}

async function load(url) {
  const answer = await fetch(url, { headers: { Accept: "text/html" } });
  if (!answer.ok) throw new Error(answer.statusText);
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

/** All rows that are shown, anew: whoever has scrolled far stays where they are. */
async function loadShown(chosen) {
  const count = Math.max(100, rows.querySelectorAll(".row").length);
  let page = null;
  for (let start = 0; start < count; start += MOST) {
    const url = new URL(chosen, location.href);
    url.searchParams.set("start", start);
    url.searchParams.set("limit", Math.min(MOST, count - start));
    const next = await load(url);
    if (!page) { page = next; continue; }
    const more = page.querySelector("#rows > .more");
    if (!more) break;
    more.replaceWith(...next.getElementById("rows").children);
    await new Promise((go) => setTimeout(go, PAUSE_MS)); // it has targets to look at, too
  }
  return page;
}

const refresh = seldom(async () => {
  const chosen = rows.dataset.rows;
  const page = await loadShown(chosen);
  if (rows.dataset.rows !== chosen) return; // something else was chosen meanwhile
  const newHead = page.getElementById("head");
  const was = document.getElementById("sentence")?.textContent;
  const now = newHead.querySelector("#sentence").textContent;
  if (head.innerHTML !== newHead.innerHTML) {
    head.replaceChildren(...newHead.childNodes);
    if (was !== now) document.title = `${now} · trueup`;
  }
  replaceRows(page.getElementById("rows"));
});

function onTarget(target) {
  const row = document.getElementById(`t-${encodeURIComponent(target.name).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)}`);
  const is = `${target.state} ${target.cause ?? ""} ${target.hard ? "hard" : "soft"}`;
  if (!row || row.dataset.is !== is || row.querySelector(".what").textContent.indexOf(target.summary) < 0) refresh();
}

follow(onTarget, refresh, refresh);

// The next rows come when the end is near.
const end = new IntersectionObserver(async (entries) => {
  if (!entries.some((one) => one.isIntersecting)) return;
  const more = rows.querySelector(".more");
  if (!more || more.dataset.loading) return;
  more.dataset.loading = "yes";
  try {
    const page = await load(more.dataset.rows);
    more.replaceWith(...page.getElementById("rows").children);
    watchEnd();
  } catch { delete more.dataset.loading; }
}, { rootMargin: "1200px" });

function watchEnd() {
  end.disconnect();
  const more = rows.querySelector(".more");
  if (more) end.observe(more);
}
watchEnd();

// Searching doesn't wait for a button.
const form = document.querySelector("form.tools");
let typing;
form.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(choose, 150);
});
form.addEventListener("submit", (event) => { event.preventDefault(); choose(); });
form.querySelector("button").hidden = true;

async function choose() {
  const chosen = new URLSearchParams([...new FormData(form)].filter(([name, word]) => word && !(name === "group" && word === "cause")));
  const url = `/rows?${chosen}`;
  history.replaceState(null, "", chosen.size ? `/?${chosen}` : "/");
  rows.dataset.rows = url;
  const page = await load(url);
  if (rows.dataset.rows !== url) return; // the answer to an older word came later
  head.replaceChildren(...page.getElementById("head").childNodes);
  rows.replaceChildren(...page.getElementById("rows").children);
  watchEnd();
}
