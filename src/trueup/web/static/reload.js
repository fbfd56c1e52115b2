// Pages that show one thing: when it changes, the server renders it again, and its part is put in place.
import { follow, seldom, tick } from "./live.js";
import { localise } from "./page.js";

const wanted = document.body.dataset;

export const refresh = seldom(async () => {
  // Whoever writes in a form keeps what they wrote.
  if (document.querySelector("#content details[open], #content :is(input, textarea):focus")) return;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("content");
  const old = document.getElementById("content");
  if (!fresh || !old) return;
  document.title = page.title;
  const plot = old.querySelector("#plot");
  const place = fresh.querySelector("#plot");
  if (plot?.dataset.drawn && place) place.replaceWith(plot);
  old.replaceChildren(...fresh.childNodes);
  localise(old);
  tick(old);
  for (const button of old.querySelectorAll("button[data-copy]")) button.hidden = false;
}, 60, 500);

const isMine = (event) => !wanted.incident || String(event.id) === wanted.incident;
if (wanted.follow === "incident") follow(() => {}, (event) => { if (isMine(event)) refresh(); }, refresh);
if (wanted.follow === "target") follow(refresh, null, refresh);
