// Hears what changes. One stream for the page; where it breaks, it's tried again.
const shown = document.getElementById("live");
const AGAIN_MS = 5000;

/** Calls back for each change; `missed` is called when some may have been lost, or more is new. */
export function follow(onTarget, onIncident, missed) {
  let stream;
  let wasOpen = false;
  const say = (words, isOn) => {
    if (!shown) return;
    shown.hidden = false;
    shown.textContent = words;
    shown.classList.toggle("on", isOn);
  };
  const listen = () => {
    stream = new EventSource("/api/v1/events");
    stream.addEventListener("open", () => {
      say("live", true);
      if (wasOpen) missed();
      wasOpen = true;
    });
    stream.addEventListener("error", () => {
      say("not live", false);
      // A proxy's 502 while the monitor starts anew: after an answer like that the browser gives up.
      if (stream.readyState === EventSource.CLOSED) setTimeout(listen, AGAIN_MS);
    });
    stream.addEventListener("target", (event) => onTarget(JSON.parse(event.data)));
    stream.addEventListener("incident", (event) => onIncident?.(JSON.parse(event.data)));
    for (const kind of ["missed", "configuration", "health"]) stream.addEventListener(kind, () => missed());
  };
  listen();
  addEventListener("pagehide", () => stream.close());
}

/** Runs `work` soon, and again at most once a second however often it's asked for. */
export function seldom(work, soonMs = 60, apartMs = 1000) {
  let timer = null;
  let last = -Infinity;
  let isRunning = false;
  let again = false;
  const run = async () => {
    timer = null;
    isRunning = true;
    last = performance.now();
    try { await work(); } catch { /* the stream tells when the monitor is gone */ }
    isRunning = false;
    if (again) { again = false; ask(); }
  };
  const ask = () => {
    if (isRunning) { again = true; return; }
    if (timer === null) timer = setTimeout(run, Math.max(soonMs, last + apartMs - performance.now()));
  };
  return ask;
}

/** How long ago, in two units: as the server writes it. */
export function lasting(seconds) {
  let left = Math.max(0, Math.round(seconds));
  const parts = [];
  for (const [size, unit] of [[86400, "d"], [3600, "h"], [60, "m"], [1, "s"]]) {
    const count = Math.floor(left / size);
    left %= size;
    if (count || (!parts.length && size === 1)) parts.push(`${count}${unit}`);
    if (parts.length === 2 || (parts.length && !count)) break;
  }
  return parts.join(" ");
}

export function tick(within = document) {
  for (const time of within.querySelectorAll("time.ago")) {
    const at = Date.parse(time.dateTime);
    if (!Number.isNaN(at)) time.textContent = lasting((Date.now() - at) / 1000);
  }
}
setInterval(() => { if (!document.hidden) tick(); }, 5000);
