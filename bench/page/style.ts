/** How report.html looks, by day and by night, on a phone and on a wall; the charts bring their own (`chartStyle`). */
export const pageStyle = `
:root { color-scheme: light dark; --ink: #1b1b1f; --soft: #53535e; --ground: #fff; --card: #f1f1f5; --line: #d0d0da; --accent: #a83c06; }
@media (prefers-color-scheme: dark) { :root { --ink: #ececf1; --soft: #b4b4c0; --ground: #16161a; --card: #222228; --line: #3a3a44; --accent: #ff9a5c; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 84rem; padding: 1.5rem; font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground); overflow-wrap: break-word; }
h1 { font-size: 1.8rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { margin: 3rem 0 .25rem; font-size: 1.35rem; }
h3 { margin: 1.5rem 0 .4rem; padding-left: .5rem; font-size: 1.05rem; }
p { margin: .25rem 0 .75rem; max-width: 46rem; }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; margin: 1rem 0 0; padding: 0; }
nav a { display: inline-block; padding: .15rem 0; }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: .75rem 0; }
dl.facts dt { color: var(--soft); } dl.facts dd { margin: 0; min-width: 0; }
pre { white-space: pre-wrap; background: var(--card); border-radius: .4rem; padding: .6rem .8rem; margin: .25rem 0 .75rem; font-size: .9rem; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 21rem), 1fr)); gap: 2rem 1.5rem; align-items: start; margin: 1rem 0; }
figure { margin: 0; max-width: 27rem; overflow-x: auto; }
figure svg { display: block; width: 100%; min-width: 19rem; height: auto; }
.legend { list-style: none; padding: 0; margin: .5rem 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 26rem), 1fr)); gap: .5rem 1.5rem; }
.legend li { display: grid; grid-template-columns: 3.5rem 1fr; gap: .75rem; align-items: start; }
.legend svg { width: 3.5rem; height: 1.5rem; }
code span { white-space: nowrap; }
details { margin: .5rem 0; } summary { cursor: pointer; font-weight: 700; padding: .25rem 0; }
.scroll { overflow-x: auto; margin: .5rem 0 1rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; }
caption { text-align: left; color: var(--soft); padding-bottom: .4rem; }
th, td { padding: .25rem .6rem; text-align: right; border: 1px solid var(--line); white-space: nowrap; }
thead th { background: var(--card); } .ratios thead th { white-space: normal; min-width: 4.6rem; } .ratios th:first-child { position: sticky; left: 0; background: var(--card); min-width: 8rem; white-space: normal; } thead th:first-child { text-align: left; } th[scope=row], th.layer { text-align: left; font-weight: 400; } th.layer { vertical-align: top; font-weight: 700; white-space: normal; min-width: 6.5rem; }
tbody.total { font-weight: 700; } tbody.total th { font-weight: 700; } tbody { border-top: 2px solid var(--soft); }
.wrong { padding-left: 1.25rem; }
@media (max-width: 40rem) {
  body { padding: .5rem; } h1 { font-size: 1.5rem; } figure { max-width: none; }
  dl.facts { grid-template-columns: 1fr; gap: 0; } dl.facts dd { margin-bottom: .4rem; }
}
@media print { nav { display: none; } figure { break-inside: avoid; } }
`;
