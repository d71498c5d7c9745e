// Before anything is drawn: the ground that the reader has chosen, so that nothing flashes.
(() => {
  let kept = null;
  try { kept = localStorage.getItem("tunesmith-theme"); } catch { /* no storage here */ }
  if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
})();
