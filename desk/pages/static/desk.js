// Loaded before anything is painted: the theme, and the small helpers that the components share.
"use strict";

window.desk = (() => {
  const THEMES = ["auto", "light", "dark"];
  const root = document.documentElement;

  function theme() {
    const kept = localStorage.getItem("frontdesk-theme");
    return THEMES.includes(kept) ? kept : "auto";
  }

  function setTheme(name) {
    localStorage.setItem("frontdesk-theme", name);
    root.dataset.theme = name;
  }

  function nextTheme() {
    const name = THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length];
    setTheme(name);
    return name;
  }

  // How long ago, as short as a list needs it: 8 s, 4 min, 1 h 05, 3 d.
  function elapsed(since, now) {
    const seconds = Math.max(0, Math.floor((now - since) / 1000));
    if (seconds < 60) return `${seconds} s`;
    const minutes = Math.floor(seconds / 60);
    if (minutes < 60) return `${minutes} min`;
    const hours = Math.floor(minutes / 60);
    if (hours < 24) return `${hours} h ${String(minutes % 60).padStart(2, "0")}`;
    return `${Math.floor(hours / 24)} d`;
  }

  function clock(at) {
    return new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  }

  function day(at) {
    const date = new Date(at);
    const days = Math.round((new Date().setHours(0, 0, 0, 0) - date.setHours(0, 0, 0, 0)) / 864e5);
    if (days === 0) return "Today";
    if (days === 1) return "Yesterday";
    return date.toLocaleDateString([], { weekday: "long", day: "numeric", month: "long" });
  }

  function full(at) {
    return new Date(at).toLocaleString();
  }

  root.dataset.theme = theme();
  return { theme, nextTheme, elapsed, clock, day, full };
})();
