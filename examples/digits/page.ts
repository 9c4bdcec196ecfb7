/** digits.html: one file that shows what the network saw, without server or network. */
import { SIDE } from './data.ts';
import { argmax, CLASSES, type LayerWeights, layers, parameterCount, type Weights } from './network.ts';
import { count, img, layerSection } from './page-layers.ts';
import { style } from './page-style.ts';
import { greyPicture } from './png.ts';
import type { Rates } from './race.ts';
import type { Misread, Reading } from './test-set.ts';

export interface PageContent {
  readonly weights: Weights;
  /** The test digit that is shown. */
  readonly index: number;
  readonly image: Float32Array;
  readonly label: number;
  readonly probabilities: Float32Array;
  readonly featureMaps: readonly Float32Array[];
  readonly reading: Reading;
  readonly rates: Rates;
}

const percent = (part: number): string => `${(100 * part).toFixed(part > 0.9995 || part < 0.0005 ? 2 : 1)} %`;

function summary({ reading, rates }: PageContent): string {
  const facts = [
    ['read right', `${(100 * reading.accuracy).toFixed(2)} %`],
    ['images a second, WebAssembly', count(rates.wasm)],
    ['images a second, plain JavaScript', count(rates.js)],
    ['times as fast', (rates.wasm / rates.js).toFixed(1)],
  ];
  return `<dl>${facts.map(([name, value]) => `<div><dt>${name}</dt><dd>${value}</dd></div>`).join('')}</dl>
<p class="facts">Timed on the machine that wrote this page, on one thread: the best of ${rates.rounds} turns, of ${count(rates.wasmDigits)} images in WebAssembly and ${count(rates.jsDigits)} in JavaScript, copies in and out included.</p>`;
}

function contents(misread: number): string {
  const places = [
    ['digit', 'The digit'],
    ...layers.map(({ name }, i) => [`layer-${i + 1}`, `Layer ${i + 1}: ${name}`]),
    ['confusion', 'Confusion matrix'],
    ['misread', `Misread digits (${misread})`],
  ];
  return `<nav aria-label="Contents"><ul>${places.map(([id, text]) => `<li><a href="#${id}">${text}</a></li>`).join('')}</ul></nav>`;
}

function probabilityBars(probabilities: Float32Array): string {
  const best = argmax(probabilities);
  const rows = [...probabilities].map(
    (p, digit) =>
      `<li${digit === best ? ' class="best"' : ''}><span>${digit}</span><meter value="${p.toFixed(4)}" max="1" aria-label="${digit}">${percent(p)}</meter><span>${percent(p)}</span></li>`,
  );
  return `<ol class="bars" aria-label="Probability of each digit">${rows.join('')}</ol>`;
}

async function digitSection({ image, index, label, probabilities }: PageContent): Promise<string> {
  const picture = img(await greyPicture(image, SIDE), `Test digit ${index}, a handwritten ${label}`, 8 * SIDE);
  return `<section aria-labelledby="digit" class="digit">
<h2 id="digit">The digit</h2>
<div>${picture}
<div><p>Test digit ${index}: a <b>${label}</b> was written, a <b>${argmax(probabilities)}</b> was read. How likely the network holds each digit to be:</p>${probabilityBars(probabilities)}</div></div>
</section>`;
}

const legend = `<section class="legend" aria-labelledby="legend"><h2 id="legend">How to read the pictures</h2>
<p><b>Kernels</b> hold positive and negative weights:</p>
<div class="scale"><span>negative</span><span class="ramp" role="img" aria-label="A scale from blue through white to orange"></span><span>positive</span></div>
<p>White is zero; full colour is the largest weight of that kernel.</p>
<p><b>Feature maps</b> are what a kernel gives back: bright where it found what it answers to.</p>
<div class="scale"><span>zero</span><span class="ramp grey" role="img" aria-label="A scale from black to white"></span><span>largest of that map</span></div>
<p>A map with a dashed frame is zero everywhere: its kernel found nothing in this digit.</p></section>`;

function confusionTable(confusion: Reading['confusion']): string {
  const head = Array.from({ length: CLASSES }, (_, digit) => `<th scope="col">${digit}</th>`).join('');
  const rows = confusion.map((row, label) => {
    const total = row.reduce((a, b) => a + b, 0);
    const cells = row.map(
      (n, read) => `<td class="${n === 0 ? 'none' : read === label ? 'right' : n < 3 ? 'wrong' : 'wrong often'}">${n}</td>`,
    );
    const share = total > 0 ? percent((row[label] as number) / total) : '–';
    return `<tr><th scope="row">${label}</th>${cells.join('')}<td class="share">${share}</td></tr>`;
  });
  return `<section aria-labelledby="confusion"><h2 id="confusion">Which digits are taken for which</h2>
<div class="scroll" role="region" tabindex="0" aria-labelledby="confusion"><table><caption>Number of test digits. A row is the digit that was written, a column the digit that was read; off the diagonal they differ.</caption>
<thead><tr><th scope="col">written</th>${head}<th scope="col">right</th></tr></thead><tbody>${rows.join('')}</tbody></table></div></section>`;
}

async function misreadFigures(misread: readonly Misread[]): Promise<string> {
  const figures = misread.map(async ({ index, image, label, read, probability }) => {
    const alt = `Test digit ${index}: a ${label}, read as ${read}`;
    return `<figure>${img(await greyPicture(image, SIDE), alt, 3 * SIDE)}<figcaption><b>${label}</b> read as <b>${read}</b><br>${percent(probability)}</figcaption></figure>`;
  });
  return `<section aria-labelledby="misread"><h2 id="misread">The misread digits: ${misread.length}</h2>
<p>Under each: the label it has in MNIST, what was read, and the probability the network gave to its mistake.</p>
<div class="pictures wide">${(await Promise.all(figures)).join('')}</div></section>`;
}

/** The whole page. */
export async function digitsPage(content: PageContent): Promise<string> {
  const { weights, reading, featureMaps } = content;
  const sections = await Promise.all(
    layers.map((spec, i) => layerSection(spec, i + 1, weights.layers[i] as LayerWeights, featureMaps[i] as Float32Array)),
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>wasm-conv: what each kernel sees in a handwritten digit</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<header>
<h1>What each kernel sees in a handwritten digit</h1>
<p>A network of ${layers.length} convolutions and ${count(parameterCount)} parameters read ${count(reading.count)} handwritten digits of the MNIST test set. Every sum was computed by <b>wasm-conv</b>, convolution kernels in WebAssembly; it was trained with them too (seed ${weights.seed}, ${weights.epochs} epochs), on other digits.</p>
${summary(content)}
${contents(reading.misread.length)}
</header>
<main>
${await digitSection(content)}
${legend}
${sections.join('\n')}
${confusionTable(reading.confusion)}
${await misreadFigures(reading.misread)}
</main>
</body>
</html>
`;
}
