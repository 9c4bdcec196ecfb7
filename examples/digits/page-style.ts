/** How digits.html looks, by day and by night, on a phone and on a wall. */
export const style = `
:root { color-scheme: light dark; --ink: #1b1b1f; --soft: #5b5b66; --ground: #fff; --card: #f1f1f5; --line: #d0d0da; --accent: #a83c06; --tint: #fbe3d6; --gap: #a9a9b8; }
@media (prefers-color-scheme: dark) { :root { --ink: #ececf1; --soft: #a9a9b6; --ground: #16161a; --card: #222228; --line: #3a3a44; --accent: #ff9a5c; --tint: #4a2411; --gap: #45454f; } }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body { margin: 0 auto; max-width: 72rem; padding: 1.5rem; font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground); }
h1 { font-size: 1.8rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { margin: 3rem 0 .25rem; font-size: 1.35rem; }
h3 { margin: 1.25rem 0 .4rem; font-size: 1rem; }
p { margin: .25rem 0 .75rem; max-width: 46rem; }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.facts { color: var(--soft); font-size: .9rem; }
dl { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1rem 0 .75rem; }
dl div { background: var(--card); border-radius: .5rem; padding: .6rem 1rem; }
dt { color: var(--soft); font-size: .85rem; }
dd { margin: 0; font-size: 1.5rem; font-variant-numeric: tabular-nums; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; margin: 1rem 0 0; padding: 0; }
img { image-rendering: pixelated; display: block; }
.digit > div { display: flex; flex-wrap: wrap; gap: 1.5rem; align-items: start; }
.digit > div > div { flex: 1 1 18rem; }
.bars { list-style: none; margin: 0; padding: 0; max-width: 26rem; }
.bars li { display: grid; grid-template-columns: 1.5rem 1fr 5.5rem; gap: .5rem; align-items: center; line-height: 1.35; font-variant-numeric: tabular-nums; }
.bars li span:last-child { text-align: right; }
.bars .best { font-weight: 700; color: var(--accent); }
meter { width: 100%; height: 1rem; }
.pictures { display: flex; flex-wrap: wrap; gap: .75rem; align-items: start; }
.pair { display: flex; align-items: center; gap: .4rem; background: var(--card); padding: .5rem; border-radius: .5rem; }
figure { margin: 0; }
figure img { border: 1px solid var(--gap); box-sizing: content-box; }
.kernel img { background: var(--gap); }
.silent img { border: 2px dashed var(--accent); margin: -1px; }
figcaption { font-size: .8rem; line-height: 1.3; margin-top: .2rem; color: var(--soft); text-align: center; font-variant-numeric: tabular-nums; }
.wide figcaption b { color: var(--ink); }
summary { cursor: pointer; margin: 1.25rem 0 .4rem; font-weight: 700; }
.legend { background: var(--card); border-radius: .5rem; padding: .8rem 1rem; margin-top: 2rem; }
.legend h2 { margin: 0 0 .25rem; font-size: 1rem; }
.legend p { margin: .25rem 0; }
.scale { display: flex; flex-wrap: wrap; align-items: center; gap: .2rem .6rem; font-size: .85rem; margin: .25rem 0; }
.ramp { width: 12rem; height: 1rem; border: 1px solid var(--gap); background: linear-gradient(90deg, #1450aa, #f7f7f7, #b23c0a); }
.grey { background: linear-gradient(90deg, #000, #fff); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); padding-bottom: .4rem; max-width: 40rem; }
th, td { padding: .25rem .6rem; text-align: right; border: 1px solid var(--line); }
td.none { color: var(--soft); } td.right { background: var(--card); font-weight: 700; }
td.wrong { background: var(--tint); font-weight: 700; } td.often { background: #b23c0a; color: #fff; }
@media (max-width: 40rem) { body { padding: 1rem; } h1 { font-size: 1.5rem; } .digit > div > img { margin: auto; } }
@media print { nav { display: none; } figure, section.digit { break-inside: avoid; } }
`;
