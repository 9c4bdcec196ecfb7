/** How digits.html looks, by day and by night, on a phone and on a wall. */
export const style = `
:root { color-scheme: light dark; --ink: #1b1b1f; --soft: #5b5b66; --ground: #fff; --card: #f3f3f6; --line: #d5d5dd; --accent: #a83c06; }
@media (prefers-color-scheme: dark) { :root { --ink: #ececf1; --soft: #a9a9b6; --ground: #16161a; --card: #222228; --line: #3a3a44; --accent: #ff9a5c; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 70rem; padding: 1.5rem; font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground); }
h1 { font-size: 1.8rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { margin: 2.5rem 0 .25rem; font-size: 1.3rem; }
h3 { margin: 1rem 0 0; font-size: 1rem; }
p { margin: .25rem 0 .75rem; max-width: 45rem; }
dl { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1rem 0 0; }
dl div { background: var(--card); border-radius: .5rem; padding: .6rem 1rem; }
dt { color: var(--soft); font-size: .85rem; }
dd { margin: 0; font-size: 1.5rem; font-variant-numeric: tabular-nums; }
img { image-rendering: pixelated; display: block; }
.digit > div { display: flex; flex-wrap: wrap; gap: 1.5rem; align-items: start; }
.bars { list-style: none; margin: 0; padding: 0; width: 18rem; }
.bars li { display: grid; grid-template-columns: 1.5rem 1fr 5.5rem; gap: .5rem; align-items: center; font-variant-numeric: tabular-nums; }
.bars li span:last-child { text-align: right; }
.bars .best { font-weight: 700; color: var(--accent); }
meter { width: 100%; height: .9rem; }
.pictures { display: flex; flex-wrap: wrap; gap: .6rem; align-items: end; }
figure { margin: 0; }
figure img { border: 1px solid var(--line); }
figure.dark img { border-style: dashed; opacity: .55; }
figcaption { font-size: .8rem; color: var(--soft); text-align: center; font-variant-numeric: tabular-nums; }
.wide figcaption b { color: var(--ink); }
summary { cursor: pointer; margin: .75rem 0; font-weight: 600; }
.legend { background: var(--card); border-radius: .5rem; padding: .6rem 1rem; margin-top: 1.5rem; max-width: none; }
.legend span { padding: 0 .4rem; border-radius: .25rem; }
.negative { background: #1450aa; color: #fff; } .zero { background: #f7f7f7; color: #1b1b1f; } .positive { background: #b23c0a; color: #fff; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); padding-bottom: .4rem; }
th, td { padding: .25rem .6rem; text-align: right; border: 1px solid var(--line); }
thead td { border: 0; }
td.none { color: var(--soft); } td.right { background: var(--card); font-weight: 700; } td.wrong { background: #b23c0a; color: #fff; font-weight: 700; }
@media (max-width: 40rem) { body { padding: 1rem; } .bars { width: 100%; } }
`;
