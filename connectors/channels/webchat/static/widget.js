/* The web chat of Frontdesk. Embed it with one line:
   <script src="https://<frontdesk>/webchat/widget.js" data-title="Your shop" async></script>
   Also: data-accent (#rrggbb), data-greeting, data-starters ("One|Two"),
   data-server (where Frontdesk is, if elsewhere), data-channel. */
(() => {
  "use strict";
  const script = document.currentScript;
  if (!script || window.frontdeskChat) return;
  const data = script.dataset;
  const server = new URL(data.server || "..", script.src).href.replace(/\/$/, "");
  const api = `${server}/webhooks/${data.channel || "webchat"}`;
  const title = data.title || "Chat with us";
  const greeting = data.greeting || "Hello! Ask me about an order, a return or our shops.";
  const starters = (data.starters || "Where is my order?|Start a return|Opening hours").split("|");
  const accent = /^#[0-9a-f]{6}$/i.test(data.accent || "") ? data.accent : "#2f6f4f";
  let lang; // of the page
  try { [lang] = Intl.getCanonicalLocales(document.documentElement.lang || []); } catch {}
  const STORE = `frontdesk:${data.channel || "webchat"}:`;
  const SILENCE = 40000, GROUP = 5 * 60000;

  // --- what is remembered between pages; a browser may forbid it, then it lasts for this page ---
  const memory = {};
  const recall = (key) => {
    try { return JSON.parse(localStorage.getItem(STORE + key)); } catch { return memory[key] ?? null; }
  };
  const keep = (key, value) => {
    memory[key] = value;
    try { localStorage.setItem(STORE + key, JSON.stringify(value)); } catch {}
  };
  let session = recall("session");
  let outbox = recall("outbox") || [];
  let read = recall("read") || 0;
  let open = false, last = 0, answered = 0, unread = 0, loaded = false, typingTimer = 0;

  // --- the page ---
  const el = (tag, props = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(props)) {
      if (key in node && !key.startsWith("aria")) node[key] = value;
      else node.setAttribute(key, value);
    }
    node.append(...children);
    return node;
  };
  const box = (className, ...children) => el("div", { className }, ...children);
  const icon = (path) => {
    const NS = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(NS, "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    const line = svg.appendChild(document.createElementNS(NS, "path"));
    line.setAttribute("d", path);
    return svg;
  };
  const light = (hex) => {
    const [r, g, b] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255)
      .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const css = `
:host { all: initial; position: absolute; --accent: ${accent}; --on: ${light(accent) > 0.179 ? "#000" : "#fff"};
 --bg: #fff; --fg: #1c211e; --soft: #5a635e; --bot: #eff2f0; --line: #d5dcd8; --edge: #7b857f;
 --ring: #0b57d0; --bad: #a8201a; font: 16px/1.45 system-ui, sans-serif;
 color-scheme: light dark; }
@media (prefers-color-scheme: dark) { :host { --bg: #181c1a; --fg: #edf1ee; --soft: #a7b1ab;
 --bot: #272d2a; --line: #353d39; --edge: #808b85; --ring: #8ab4f8; --bad: #ff9d94; } }
*, ::before, ::after { box-sizing: border-box; }
[hidden] { display: none !important; }
button, textarea { font: inherit; color: inherit; }
button { cursor: pointer; min-height: 44px; border-radius: 22px; border: 1px solid transparent; }
:focus-visible { outline: 3px solid var(--ring); outline-offset: 2px; }
svg { width: 24px; height: 24px; fill: none; stroke: currentColor; stroke-width: 2;
 stroke-linecap: round; stroke-linejoin: round; display: block; }
.launch, .panel { position: fixed; z-index: 2147483000; right: calc(20px + env(safe-area-inset-right));
 bottom: calc(20px + env(safe-area-inset-bottom)); }
.launch { width: 60px; height: 60px; border-radius: 50%; padding: 0; display: grid; place-items: center;
 background: var(--accent); color: var(--on); box-shadow: 0 4px 20px #0005; }
.badge { position: absolute; top: -4px; right: -4px; min-width: 24px; height: 24px; padding: 0 6px;
 border-radius: 12px; background: #b3261e; color: #fff; font-size: 14px; line-height: 24px; font-weight: 600; }
.panel { width: 392px; height: min(660px, calc(100dvh - 40px)); display: flex; flex-direction: column;
 background: var(--bg); color: var(--fg); border: 1px solid var(--line); border-radius: 18px;
 overflow: hidden; box-shadow: 0 12px 48px #0005; }
header { display: flex; align-items: center; gap: 8px; background: var(--accent); color: var(--on);
 padding: 10px 8px 10px 20px; padding-top: calc(10px + var(--top, 0px)); }
header div { flex: 1; min-width: 0; }
h2 { font-size: 17px; line-height: 1.3; font-weight: 650; margin: 0; }
header p { margin: 0; font-size: 14px; }
.close { width: 44px; padding: 0; background: none; display: grid; place-items: center; }
header :focus-visible { outline-color: currentColor; }
header :focus-visible, .log:focus-visible { outline-offset: -3px; }
.offline { background: #fff3cd; color: #4a3800; padding: 8px 20px; font-size: 14px; }
.log { flex: 1; overflow-y: auto; overscroll-behavior: contain; padding: 16px; display: flex;
 flex-direction: column; }
.log > :first-child { margin-top: auto; }
.m { margin-top: 14px; display: flex; flex-direction: column; align-items: flex-start; }
.m > * { max-width: 84%; }
.m.joined { margin-top: 4px; }
.m.customer { align-items: flex-end; }
.who, .when { font-size: 13px; color: var(--soft); margin: 0 6px 3px; }
.when { margin: 3px 6px 0; }
.joined > .who, .m:has(+ .joined) > .when { display: none; }
.text { background: var(--bot); border-radius: 18px; padding: 9px 14px; white-space: pre-wrap;
 overflow-wrap: anywhere; }
.agent > .who { font-weight: 600; }
.customer .text { background: var(--accent); color: var(--on); border-bottom-right-radius: 6px; }
.bot .text, .agent .text { border-bottom-left-radius: 6px; }
.waiting .text { opacity: .75; }
.text a { color: inherit; text-decoration: underline; text-underline-offset: 2px; }
.system.m, .day { align-items: center; text-align: center; margin-top: 16px; font-size: 14px; color: var(--soft); }
.system .text { background: none; padding: 0; }
.system > .when { display: none; }
.day { font-weight: 600; }
img { max-height: 220px; margin-top: 6px; border-radius: 14px;
 border: 1px solid var(--line); background: #fff; }
.choices { display: flex; flex-wrap: wrap; gap: 8px; margin: 8px 0 4px; max-width: none; }
.choices > * { display: inline-flex; align-items: center; gap: 6px; min-height: 44px; padding: 8px 16px;
 border: 1px solid var(--edge); border-radius: 22px; background: var(--bg); color: var(--fg);
 text-decoration: none; text-align: left; }
.choices > :hover { background: var(--bot); }
.choices svg { width: 16px; height: 16px; flex: none; }
.retry { background: none; border: 0; color: var(--bad); font-size: 14px; padding: 4px 6px; text-decoration: underline; }
.typing { display: flex; align-items: center; gap: 8px; min-height: 24px; padding: 0 22px 8px; font-size: 14px; color: var(--soft); }
.dots i { display: inline-block; width: 6px; height: 6px; margin-right: 3px; border-radius: 50%; background: var(--soft); animation: hop 1.2s infinite; }
.dots i:nth-child(2) { animation-delay: .15s; } .dots i:nth-child(3) { animation-delay: .3s; }
@keyframes hop { 30% { transform: translateY(-4px); } 60% { transform: none; } }
form { display: flex; align-items: flex-end; gap: 8px; padding: 10px 12px; border-top: 1px solid var(--line);
 padding-bottom: calc(10px + var(--bottom, 0px)); }
textarea { flex: 1; min-width: 0; height: 44px; max-height: 132px; resize: none; padding: 9px 16px;
 border: 1px solid var(--edge); border-radius: 22px; background: var(--bg); line-height: 24px; }
textarea::placeholder { color: var(--soft); opacity: 1; }
.send { width: 44px; flex: none; padding: 0; display: grid; place-items: center; background: var(--accent); color: var(--on); }
.hear { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (max-width: 520px) { .panel { inset: 0; width: auto; height: var(--height, 100dvh); top: var(--shift, 0);
 border: 0; border-radius: 0; --top: env(safe-area-inset-top); --bottom: env(safe-area-inset-bottom);
 padding: 0 env(safe-area-inset-right) 0 env(safe-area-inset-left); } }
.panel { animation: rise .16s ease-out; }
@keyframes rise { from { opacity: 0; transform: translateY(12px); } }
@media (prefers-reduced-motion: reduce) { .panel, .dots i { animation: none; } }
@media print { .launch, .panel { display: none; } }`;

  const badge = el("span", { className: "badge", hidden: true });
  const launcher = el("button", { className: "launch", "aria-haspopup": "dialog" },
    icon("M21 12a8 8 0 0 1-8 8H4l2-3a8 8 0 1 1 15-5Z"), badge);
  const subtitle = el("p", {}, "We answer at once");
  const close = el("button", { className: "close", "aria-label": "Close chat" },
    icon("M6 6l12 12M18 6L6 18"));
  const offline = el("div", { className: "offline", role: "status", hidden: true });
  const log = el("div", { className: "log", role: "log", tabIndex: 0, "aria-live": "polite",
    "aria-label": "Messages", "aria-busy": "true" });
  const dots = el("span", { className: "dots", hidden: true }, el("i"), el("i"), el("i"));
  const typist = el("span", { role: "status" });
  const input = el("textarea", { rows: 1, maxLength: 4000, placeholder: "Write a message",
    "aria-label": "Your message", enterKeyHint: "send" });
  const form = el("form", {}, input, el("button", { className: "send", "aria-label": "Send" },
    icon("M12 20V5M5 12l7-7 7 7")));
  const panel = el("section", { className: "panel", id: "panel", role: "dialog", hidden: true, "aria-labelledby": "title" },
    el("header", {}, el("div", {}, el("h2", { id: "title" }, title), subtitle), close),
    offline, log, box("typing", dots, typist), form);
  const host = el("div", { id: "frontdesk-chat" });
  const root = host.attachShadow({ mode: "open" });
  root.append(launcher, panel);
  try { // also where the page's policy forbids <style>
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [sheet];
  } catch { root.prepend(el("style", { textContent: css })); }

  // --- messages ---
  const safe = (url) => {
    try {
      const { protocol, href } = new URL(url, server + "/");
      return /^https?:$/.test(protocol) ? href : "";
    } catch { return ""; }
  };
  const link = (url, ...children) =>
    el("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, ...children);
  const linked = (text) => {
    const parts = [];
    let at = 0;
    for (const match of text.matchAll(/https?:\/\/[^\s<>"]+/gi)) {
      const address = match[0].replace(/[.,:;!?'*)\]}]+$/, "");
      const url = safe(address);
      if (!url) continue;
      parts.push(text.slice(at, match.index), link(url, address));
      at = match.index + address.length;
    }
    return [...parts, text.slice(at)];
  };
  const attached = ({ url, content_type: type, name }) => {
    const address = safe(url);
    if (!address) return "";
    const file = link(address, name || "Open the file");
    const kind = type || (/\.(svg|png|jpe?g|gif|webp|avif)(\?|$)/i.test(address) ? "image/" : "");
    if (!kind.startsWith("image/")) return box("text", file);
    const image = el("img", { alt: name || "Picture", src: address });
    image.onload = () => stick();
    image.onerror = () => image.replaceWith(box("text", file));
    return image;
  };
  const nameOf = (m) => ({ customer: "You", bot: `${title} assistant`, agent: m.name || "Our team" })[m.author] || "Notice";
  const bubble = (m, before) => {
    const when = new Date(m.at);
    const node = box(`m ${m.author}`);
    const who = `${m.author} ${m.name || ""}`;
    if (before?.who === who && when - before.at < GROUP) node.classList.add("joined");
    Object.assign(node, { who, at: +when, message: m });
    node.append(box(/customer|system/.test(m.author) ? "hear" : "who", nameOf(m)));
    if (m.text) node.append(el("div", { className: "text", dir: "auto" }, ...linked(m.text)));
    node.append(...(m.attachments || []).map(attached));
    const choices = box("choices");
    for (const button of m.buttons || []) {
      const url = button.url && safe(button.url);
      if (url) choices.append(link(url, button.title, icon("M8 16L18 6M10 6h8v8")));
      else if (button.token) choices.append(choice(button.title, button.token));
    }
    if (choices.children.length) node.append(choices);
    node.append(box("when", el("time", { dateTime: when.toISOString() },
      when.toLocaleTimeString(lang, { hour: "2-digit", minute: "2-digit" }))));
    return node;
  };
  const phone = matchMedia("(max-width: 520px)");
  const home = () => (phone.matches ? log : input); // on a phone the keyboard comes when it is asked for
  const choice = (text, token) => {
    const button = el("button", { className: "quick" }, text);
    button.onclick = () => { home().focus(); say(text, token); };
    return button;
  };
  const dayOf = (when) => {
    const day = (d) => new Date(d).setHours(0, 0, 0, 0);
    const ago = Math.round((day(Date.now()) - day(when)) / 864e5);
    return ago < 1 ? "Today" : ago < 2 ? "Yesterday"
      : when.toLocaleDateString(lang, { weekday: "long", day: "numeric", month: "long" });
  };
  const place = (m) => { // a bubble, above what is not sent yet, and the day above it when it is a new one
    const end = m.seq ? outbox.find((item) => item.node?.isConnected)?.node || null : null;
    const day = dayOf(new Date(m.at));
    if (m.seq !== 0 && log.day !== day) {
      log.day = day;
      log.insertBefore(box("day", day), end);
    }
    return log.insertBefore(bubble(m, end ? end.previousElementSibling : log.lastElementChild), end);
  };
  const near = () => log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  let sticking = true;
  log.onscroll = () => { sticking = near(); };
  const stick = (force) => { if (force || sticking) { log.scrollTop = log.scrollHeight; sticking = true; } };
  const settle = () => { // choices are offered until they are answered
    const talked = answered || outbox.length;
    for (const quick of log.querySelectorAll(".quick")) {
      const { seq } = quick.closest(".m").message;
      if (outbox.length || seq < answered || (seq === 0 && talked)) quick.remove();
    }
    for (const row of log.querySelectorAll(".choices:empty")) row.remove();
  };
  const greet = () => {
    const node = place({ seq: 0, author: "bot", at: Date.now(), text: greeting });
    node.querySelector(".when").remove();
    if (!read) node.append(box("choices", ...starters.map((text) => choice(text.trim()))));
  };

  // --- what comes ---
  const save = () => keep("outbox", outbox.map(({ node, ...item }) => item));
  const adopt = (m) => { // the bubble of what was sent from here stays: it is not read out twice
    const mine = ["sent", "sending", "failed"].flatMap((state) => outbox.filter((i) => i.state === state));
    const same = mine.find((i) => i.text === m.text) || mine.find((i) => i.button);
    if (!same) return false;
    const first = outbox[0].node;
    outbox = outbox.filter((item) => item !== same);
    if (same.state === "failed" || same.node !== first) { same.node.remove(); return false; }
    same.node.classList.remove("waiting");
    same.node.message = m;
    return true;
  };
  const show = (messages) => {
    const fresh = messages.filter((m) => m.seq > last);
    if (!fresh.length) return;
    for (const m of fresh) {
      last = m.seq;
      if (m.author === "customer") {
        answered = m.seq;
        if (adopt(m)) continue;
      } else {
        type("");
        if (m.author === "agent") subtitle.textContent = `You are chatting with ${nameOf(m)}`;
        if (m.author === "bot") subtitle.textContent = "We answer at once";
        if (m.seq > read) unread++;
      }
      place(m);
    }
    save();
    settle();
    count();
    stick();
  };
  const count = () => {
    if (open && !document.hidden) { unread = 0; if (read !== last) keep("read", (read = last)); }
    badge.hidden = !unread;
    badge.textContent = unread > 9 ? "9+" : unread;
    launcher.setAttribute("aria-label", unread ? `Open chat, ${unread} unread` : "Open chat");
  };
  const type = (author) => {
    clearTimeout(typingTimer);
    dots.hidden = !author;
    typist.textContent = !author ? "" : author === "agent" ? "Typing…" : "Looking into it…";
    if (author) typingTimer = setTimeout(type, 8000, "");
  };

  // --- the way to the server ---
  const refused = (answer) => answer.status === 401 || answer.status === 403;
  const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
  const call = async (path, options = {}) => {
    const headers = { ...options.headers };
    if (session) headers.Authorization = `Bearer ${session.token}`;
    if (options.body) headers["Content-Type"] = "application/json";
    return fetch(api + path, { cache: "no-store", ...options, headers });
  };
  let starting = null, stream = null;
  const start = () => (starting ||= (async () => { // one at a time, or two visitors begin
    try {
      let answer = await call("/session", { method: "POST" });
      if (refused(answer)) {
        forget();
        answer = await call("/session", { method: "POST" });
      }
      if (!answer.ok) throw new Error(`session: ${answer.status}`);
      keep("session", (session = await answer.json()));
    } finally { starting = null; }
  })());
  const forget = () => { // the token is no longer good: whoever comes is somebody new
    stream?.abort();
    session = null;
    last = answered = unread = 0;
    keep("session", null);
    keep("read", (read = 0));
    log.replaceChildren();
    log.day = "";
    greet();
    outbox.forEach(draw);
  };
  const pull = async () => {
    for (let more = true; more;) {
      const answer = await call(`/messages?after=${last}`);
      if (refused(answer)) { forget(); await start(); continue; }
      if (!answer.ok) throw new Error(`messages: ${answer.status}`);
      const page = await answer.json();
      show(page.messages);
      more = page.more;
    }
    loaded = true;
    log.setAttribute("aria-busy", "false");
    connected(true);
  };
  const connected = (yes) => {
    offline.hidden = yes;
    offline.textContent = yes ? "" : "No connection. Trying again…";
  };
  const listen = async () => { // until the stream ends; true when it carried anything at all
    stream = new AbortController();
    const own = stream;
    let timer = setTimeout(() => own.abort(), 6000), heard = false, rest = "";
    try {
      const answer = await call(`/live?after=${last}`, { signal: own.signal });
      if (!answer.ok || !answer.body) return false;
      const reader = answer.body.getReader();
      const decoder = new TextDecoder();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return heard;
        heard = true;
        clearTimeout(timer);
        timer = setTimeout(() => own.abort(), SILENCE);
        const blocks = (rest + decoder.decode(value, { stream: true })).split("\n\n");
        rest = blocks.pop();
        blocks.forEach(hear);
      }
    } catch { return heard; } finally { clearTimeout(timer); }
  };
  const hear = (block) => {
    const kind = /^event: (.*)$/m.exec(block)?.[1], said = /^data: (.*)$/m.exec(block)?.[1];
    if (!kind || !said) return;
    if (kind === "messages") show(JSON.parse(said).messages);
    if (kind === "typing") type(JSON.parse(said).author);
    if (kind === "state") type("");
  };
  let running = false, wake = () => {};
  const run = async () => { // live while the page is seen; polling where streams do not get through
    if (running) return;
    running = true;
    for (let failures = 0; ; ) {
      if (document.hidden) await new Promise((seen) => { wake = seen; });
      try {
        if (!session || !loaded) await start();
        await pull();
        failures = 0;
        flush();
        if (!(await listen())) for (let i = 0; i < 10 && !document.hidden; i++) { await sleep(3000); await pull(); }
        await sleep(300);
      } catch {
        if (++failures > 1 || !navigator.onLine) connected(false);
        await Promise.race([sleep(Math.min(30, 2 ** failures) * 500 * (1 + Math.random())),
          new Promise((again) => { wake = again; })]);
      }
    }
  };
  document.addEventListener("visibilitychange", () => { // a hidden page would hold a connection
    if (document.hidden) stream?.abort();
    else { wake(); count(); }
  });
  addEventListener("online", () => { wake(); outbox.forEach(requeue); flush(); });
  addEventListener("offline", () => { connected(false); stream?.abort(); });

  // --- what goes ---
  const id = () => crypto.randomUUID?.()
    || Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
  const say = (text, button) => {
    const item = { id: id(), text, state: "sending", at: Date.now(), ...(button && { button }) };
    outbox.push(item);
    draw(item);
    save();
    settle();
    stick(true);
    run();
    flush();
  };
  const draw = (item) => {
    item.node?.remove();
    item.node = place({ author: "customer", at: item.at, text: item.text });
    item.node.classList.toggle("waiting", item.state === "sending");
    if (item.state !== "failed") return;
    const again = el("button", { className: "retry" }, "Not sent – tap to try again");
    again.onclick = () => { home().focus(); requeue(item); flush(); };
    item.node.querySelector(".when").replaceWith(again);
  };
  const requeue = (item) => {
    if (item.state !== "failed") return;
    item.state = "sending";
    draw(item);
  };
  const failed = (item) => { item.state = "failed"; draw(item); stick(); };
  const drop = (item) => { // no further attempt would change the answer
    item.node?.append(box("retry", "This message cannot be sent"));
    outbox = outbox.filter((other) => other !== item);
    save();
  };
  const post = async ({ id, text, button }) => {
    if (!session) await start();
    return call("/messages", { method: "POST", body: JSON.stringify({ id, text, button }) });
  };
  let flushing = false;
  const flush = async () => { // in order, one at a time; the same id is taken once by the server
    if (flushing) return;
    flushing = true;
    let tries = 0;
    for (let item; (item = outbox.find((i) => i.state === "sending")); ) {
      try {
        const answer = await post(item);
        if (answer.status === 202) {
          tries = 0;
          item.state = "sent";
          item.node?.classList.remove("waiting");
          continue;
        }
        if (refused(answer)) forget();
        else if (answer.status === 429) { await sleep(1000 * ((await answer.json()).retry_after || 5)); continue; }
        else if (answer.status < 500) { drop(item); continue; }
        throw new Error("not taken");
      } catch {
        if (++tries < 3 && navigator.onLine) { await sleep(700 * tries); continue; }
        outbox.filter((i) => i.state === "sending").forEach(failed);
      }
    }
    flushing = false;
  };

  // --- opening, closing, typing ---
  const fit = () => { // the keyboard of a phone covers the page: the panel keeps to what is seen
    const seen = window.visualViewport;
    if (!seen) return;
    panel.style.setProperty("--height", `${seen.height}px`);
    panel.style.setProperty("--shift", `${seen.offsetTop}px`);
    stick();
  };
  window.visualViewport?.addEventListener("resize", fit);
  const toggle = (yes, focus = true) => {
    open = yes;
    keep("open", yes);
    panel.hidden = !yes;
    launcher.hidden = yes;
    panel.setAttribute("aria-modal", String(phone.matches));
    document.documentElement.style.overflow = yes && phone.matches ? "hidden" : "";
    if (yes) { fit(); run(); stick(true); }
    count();
    if (focus) (yes ? home() : launcher).focus();
  };
  launcher.onclick = () => toggle(true);
  close.onclick = () => toggle(false);
  panel.onkeydown = (event) => {
    if (event.key === "Escape") { event.stopPropagation(); toggle(false); }
    if (event.key !== "Tab") return;
    const stops = [...panel.querySelectorAll("button, a[href], textarea, [tabindex='0']")];
    const end = event.shiftKey ? stops[0] : stops[stops.length - 1];
    if (root.activeElement !== end) return;
    event.preventDefault();
    (event.shiftKey ? stops[stops.length - 1] : stops[0]).focus();
  };
  let told = 0;
  const grow = () => { input.style.height = ""; input.style.height = `${input.scrollHeight + 2}px`; };
  input.oninput = () => {
    grow();
    if (!session || !input.value || Date.now() - told < 4000) return;
    told = Date.now();
    call("/typing", { method: "POST" }).catch(() => {});
  };
  input.onkeydown = (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); form.requestSubmit(); }
  };
  form.onsubmit = (event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (!text) return;
    input.value = "";
    grow();
    told = 0;
    say(text);
  };

  window.frontdeskChat = { open: () => toggle(true), close: () => toggle(false) };
  const mount = () => {
    document.body.append(host);
    greet();
    outbox.forEach(draw);
    settle();
    count();
    if (recall("open")) toggle(true, false);
    else if (session) run();
  };
  if (document.body) mount(); else addEventListener("DOMContentLoaded", mount);
})();
