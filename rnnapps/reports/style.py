"""Style sheet and the few lines of script of a report."""

from __future__ import annotations

__all__ = ["SCRIPT", "SHADES", "STYLE"]

SHADES = 8
"""Of a shaded text."""

_HEAT = "\n".join(
    f".heat{shade} {{ background: color-mix(in srgb, var(--heat) {round(70 * shade / SHADES)}%, transparent); }}"
    for shade in range(1, SHADES + 1)
)

STYLE = (
    """
:root { color-scheme: light dark; --text: #1f2328; --quiet: #57606a; --page: #ffffff; --panel: #f4f6f8;
  --line: #d5dae1; --accent: #0063a0; --best: #e3f1e8; --warn: #8a3a00; --heat: #f08c2e; }
@media (prefers-color-scheme: dark) { :root { --text: #e4e8ed; --quiet: #a3adb8; --page: #14181d; --panel: #1d232a;
  --line: #3a424c; --accent: #6cbcf0; --best: #173626; --warn: #f3a869; --heat: #b4570e; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 52rem; background: var(--page); color: var(--text);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .3rem; }
h2 { font-size: 1.2rem; margin: 2.6rem 0 .6rem; padding-top: .9rem; border-top: 1px solid var(--line); }
p { margin: .5rem 0; max-width: 42rem; }
.lead, figcaption, caption { color: var(--quiet); }
.verdict { font-weight: 600; padding-left: .8rem; border-left: 4px solid var(--accent); }
a { color: var(--accent); }
a:focus-visible, summary:focus-visible, input:focus-visible, .scroll:focus-visible {
  outline: 2px solid var(--accent); outline-offset: 2px; }
nav ul { list-style: none; margin: 1rem 0 0; padding: 0; display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; }
.scroll { overflow-x: auto; margin: .8rem 0; }
table { border-collapse: collapse; min-width: min(100%, 24rem); font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: .4rem; font-size: .9rem; }
th, td { padding: .35rem 1.1rem .35rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
td { white-space: pre-wrap; }
thead th { font-size: .85rem; color: var(--quiet); font-weight: 600; vertical-align: bottom; }
tbody th { font-weight: 400; }
.number { text-align: right; white-space: nowrap; }
td.best { background: var(--best); font-weight: 700; padding-left: .6rem; }
.best small { font-weight: 600; margin-right: .6rem; }
figure { margin: 1rem 0; max-width: 38rem; }
.gallery { display: grid; gap: 0 1.5rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); }
figure img { width: 100%; height: auto; display: block; }
figcaption { font-size: .9rem; margin-top: .3rem; max-width: 42rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: var(--panel); border: 1px solid var(--line);
  border-radius: 6px; padding: .7rem .9rem; margin: .5rem 0; font: .9rem/1.5 ui-monospace, "SFMono-Regular", Menlo,
  Consolas, monospace; unicode-bidi: plaintext; }
details { margin: .6rem 0; }
summary { cursor: pointer; color: var(--accent); padding: .2rem 0; }
.slider { display: flex; align-items: center; gap: 1rem; flex-wrap: wrap; margin: .6rem 0; }
.slider input { flex: 1 1 14rem; accent-color: var(--accent); min-height: 2rem; }
.slider output { min-width: 8rem; font-variant-numeric: tabular-nums; }
audio { width: 100%; max-width: 30rem; }
figure.wide { max-width: none; }
@media print { nav, .slider { display: none; } }
"""
    + _HEAT
)

# Without scripts the samples stay a list of folded steps, the last one open.
SCRIPT = """
for (const box of document.querySelectorAll("[data-samples]")) {
  const entries = [...box.querySelectorAll("details")];
  if (entries.length < 2) continue;
  const bar = document.createElement("div"), label = document.createElement("label"),
    slider = document.createElement("input"), shown = document.createElement("output");
  bar.className = "slider";
  label.textContent = "Training step";
  slider.type = "range"; slider.min = 0; slider.max = entries.length - 1; slider.value = entries.length - 1;
  slider.id = "samples-slider-" + entries[0].dataset.step; label.htmlFor = slider.id;
  const show = () => {
    entries.forEach((entry, index) => {
      entry.hidden = index !== Number(slider.value); entry.open = true;
      entry.querySelector("summary").hidden = true;
    });
    shown.textContent = entries[slider.value].querySelector("summary").textContent;
    slider.setAttribute("aria-valuetext", shown.textContent);
  };
  slider.addEventListener("input", show);
  bar.append(label, slider, shown); box.prepend(bar); show();
}
"""
