// The public page has no stream: it asks again every half minute.
import { localise } from "./page.js";

setInterval(async () => {
  if (document.hidden) return;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("content");
    if (!fresh) return;
    document.title = page.title;
    document.getElementById("content").replaceChildren(...fresh.childNodes);
    localise(document.getElementById("content"));
  } catch { /* next time */ }
}, 30000);
