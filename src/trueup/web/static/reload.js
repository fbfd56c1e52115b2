// Pages that show one thing: when it changes, the server renders it again, and its part is put in place.
import { follow, seldom, tick } from "./live.js";
import { localise } from "./page.js";

const wanted = document.body.dataset;

const WRITES = "#content details[open] form, #content :is(input, select, textarea):focus";
let isLate = false;

/** What a link, a button or a fold is known by, when its page is drawn again. */
const sign = (one) => [one.tagName, one.getAttribute("href"), one.getAttribute("aria-label") ?? one.textContent.trim()].join(" ");

/** The open folds and what has the focus; the answer finds them in what came in their place. */
function held(within) {
  const folds = () => [...within.querySelectorAll("details > summary")];
  const open = folds().map((one) => one.parentElement.open && sign(one));
  const focused = within.contains(document.activeElement) ? document.activeElement : null;
  const alike = () => [...within.querySelectorAll(focused.tagName)].filter((one) => sign(one) === sign(focused));
  const place = focused && alike().indexOf(focused);
  return () => {
    folds().forEach((one, at) => { if (open[at] === sign(one)) one.parentElement.open = true; });
    if (focused) alike()[place]?.focus({ preventScroll: true });
  };
}

export const refresh = seldom(async () => {
  // Whoever writes in a form keeps what they wrote.
  isLate = document.querySelector(WRITES) !== null;
  if (isLate) return;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (answer.status === 404) location.reload(); // it's no longer in the configuration: the page says so
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  isLate = document.querySelector(WRITES) !== null;
  if (isLate) return;
  const fresh = page.getElementById("content");
  const old = document.getElementById("content");
  if (!fresh || !old) return;
  document.title = page.title;
  const plot = old.querySelector("#plot");
  const place = fresh.querySelector("#plot");
  if (plot?.dataset.drawn && place) place.replaceWith(plot);
  const restore = held(old);
  old.replaceChildren(...fresh.childNodes);
  restore();
  localise(old);
  tick(old);
  for (const button of old.querySelectorAll("button[data-copy]")) button.hidden = false;
}, 60, 500);

for (const kind of ["focusout", "toggle"]) document.addEventListener(kind, () => { if (isLate) refresh(); }, true);

const isMine = (event) => !wanted.incident || String(event.id) === wanted.incident;
if (wanted.follow === "incident") follow(() => {}, (event) => { if (isMine(event)) refresh(); }, refresh);
if (wanted.follow === "target") follow(refresh, null, refresh);
