// What every page can do: change the theme, show its place in the menu, copy, show times as they are here, tell the keys.
const root = document.documentElement;
const theme = document.getElementById("theme");

function isDark() {
  return root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

if (theme) {
  theme.hidden = false;
  const name = () => { theme.textContent = isDark() ? "Light" : "Dark"; };
  name();
  theme.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    try { localStorage.setItem("trueup-theme", root.dataset.theme); } catch { /* forbidden: for this page only */ }
    name();
    dispatchEvent(new CustomEvent("themed"));
  });
}

// On a narrow screen the menu scrolls; the page itself stays where its address leads.
const menu = document.querySelector(".top nav");
const current = menu?.querySelector("[aria-current]");
if (current) menu.scrollLeft = current.offsetLeft - menu.offsetLeft - (menu.clientWidth - current.offsetWidth) / 2;

const here = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** Times stand in UTC in the page; here they become the reader's own, with UTC as the title. */
export function localise(within) {
  for (const time of within.querySelectorAll("time:not([title]):not(.ago)")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    time.title = time.textContent;
    time.textContent = here.format(at);
  }
}
localise(document);

export function toast(words) {
  document.querySelector(".toast")?.remove();
  const said = document.createElement("p");
  said.className = "toast";
  said.setAttribute("role", "status");
  said.textContent = words;
  document.body.append(said);
  setTimeout(() => said.remove(), 4000);
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  const text = button.dataset.copy;
  try {
    await navigator.clipboard.writeText(text);
    toast("Copied");
  } catch {
    toast("The browser doesn't let this page copy: select the text instead");
  }
});
for (const button of document.querySelectorAll("button[data-copy]")) button.hidden = false;

// A form that is sent twice asks twice.
document.addEventListener("submit", (event) => {
  const button = event.target.querySelector("button:not([type=button])");
  if (button && event.target.method === "post") setTimeout(() => { button.disabled = true; }, 0);
});

const KEYS = [
  ["/", "search"], ["j, k", "next, previous target"], ["Enter", "open it"],
  ["o, i, m", "overview, incidents, map"], ["?", "these keys"],
];

function showKeys() {
  let dialog = document.getElementById("keys");
  if (!dialog) {
    dialog = document.createElement("dialog");
    dialog.id = "keys";
    dialog.setAttribute("aria-label", "Keys");
    const title = document.createElement("h2");
    title.textContent = "Keys";
    const list = document.createElement("dl");
    list.className = "facts";
    for (const [key, does] of KEYS) {
      const pair = document.createElement("div");
      const term = document.createElement("dt");
      const said = document.createElement("dd");
      term.textContent = does;
      const cap = document.createElement("kbd");
      cap.textContent = key;
      said.append(cap);
      pair.append(term, said);
      list.append(pair);
    }
    const close = document.createElement("button");
    close.textContent = "Close";
    close.addEventListener("click", () => dialog.close());
    dialog.append(title, list, close);
    document.body.append(dialog);
  }
  dialog.showModal();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const rows = [...document.querySelectorAll(".row > a")];
  const at = rows.indexOf(document.activeElement);
  const go = { o: "/", i: "/incidents", m: "/map" }[event.key];
  if (event.key === "/") document.getElementById("search")?.focus();
  else if (event.key === "?") showKeys();
  else if (event.key === "j") rows[Math.min(at + 1, rows.length - 1)]?.focus();
  else if (event.key === "k") rows[Math.max(at - 1, 0)]?.focus();
  else if (go) location.href = go;
  else return;
  event.preventDefault();
});
