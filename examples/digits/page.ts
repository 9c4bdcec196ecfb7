/** digits.html: one file that shows what the network saw, without server or network. */
import { PIXELS, SIDE } from './data.ts';
import { argmax, CLASSES, type ConvSpec, type LayerWeights, layers, parameterCount, type Weights, weightCount } from './network.ts';
import { style } from './page-style.ts';
import { greyPicture, kernelPicture } from './png.ts';

export interface Misread {
  readonly index: number;
  readonly image: Float32Array;
  readonly label: number;
  readonly read: number;
  readonly probability: number;
}

export interface PageContent {
  readonly weights: Weights;
  readonly index: number;
  readonly image: Float32Array;
  readonly label: number;
  readonly probabilities: Float32Array;
  readonly featureMaps: readonly Float32Array[];
  readonly digits: number;
  /** [true label][digit read] */
  readonly confusion: readonly (readonly number[])[];
  readonly misread: readonly Misread[];
  readonly imagesPerSecond: number;
  readonly jsImagesPerSecond: number;
}

const percent = (part: number): string => `${(100 * part).toFixed(part > 0.9995 || part < 0.0005 ? 2 : 1)} %`;
const count = (n: number): string => Math.round(n).toLocaleString('en-US');

function img(src: string, alt: string, width: number, height = width): string {
  return `<img src="${src}" alt="${alt}" width="${width}" height="${height}">`;
}

function probabilityBars(probabilities: Float32Array): string {
  const best = argmax(probabilities);
  const rows = [...probabilities].map(
    (p, digit) =>
      `<li${digit === best ? ' class="best"' : ''}><span>${digit}</span><meter value="${p.toFixed(4)}" max="1">${percent(p)}</meter><span>${percent(p)}</span></li>`,
  );
  return `<ol class="bars" aria-label="Probability of each digit">${rows.join('')}</ol>`;
}

async function kernels(spec: ConvSpec, { weight, bias }: LayerWeights): Promise<string> {
  const { outC, inC, kernel } = spec;
  const size = inC * kernel * kernel;
  const figures = Array.from({ length: outC }, async (_, c) => {
    const { picture, width, height } = kernelPicture(weight.subarray(c * size, (c + 1) * size), inC, kernel);
    const zoom = inC === 1 ? 16 : Math.max(3, Math.floor(96 / Math.max(width, height)));
    const alt = `Kernel ${c} of layer ${spec.name}: ${inC} slice${inC > 1 ? 's' : ''} of ${kernel} by ${kernel}, bias ${bias[c]?.toFixed(2)}`;
    return `<figure>${img(await picture, alt, width * zoom, height * zoom)}<figcaption>${c}</figcaption></figure>`;
  });
  return `<div class="pictures">${(await Promise.all(figures)).join('')}</div>`;
}

async function featureMaps(spec: ConvSpec, maps: Float32Array): Promise<string> {
  const { outC, outSize } = spec;
  const pixels = outSize * outSize;
  const figures = Array.from({ length: outC }, async (_, c) => {
    const map = maps.subarray(c * pixels, (c + 1) * pixels);
    const top = map.reduce((a, b) => Math.max(a, b), -Infinity);
    // A map of one cell is bright or dark beside the others, not beside itself.
    const picture = await greyPicture(map, outSize, pixels === 1 ? Math.max(...maps) : top);
    const alt = `Feature map ${c} of layer ${spec.name}, ${outSize} by ${outSize}, largest value ${top.toFixed(2)}`;
    const dark = top <= 0 && pixels > 1 ? ' class="dark"' : '';
    return `<figure${dark}>${img(picture, alt, Math.max(56, Math.round(84 / outSize) * outSize))}<figcaption>${c}${pixels === 1 ? `: ${top.toFixed(1)}` : ''}</figcaption></figure>`;
  });
  return `<div class="pictures">${(await Promise.all(figures)).join('')}</div>`;
}

async function layerSection(spec: ConvSpec, number: number, weights: LayerWeights, maps: Float32Array): Promise<string> {
  const { inC, outC, kernel, stride, outSize, relu } = spec;
  const last = number === layers.length;
  return `<section aria-labelledby="layer-${number}">
<h2 id="layer-${number}">Layer ${number}: ${spec.name}</h2>
<p>${outC} kernels of ${kernel}×${kernel} over ${inC} channel${inC > 1 ? 's' : ''}${stride > 1 ? `, every ${stride === 2 ? 'second' : `${stride}th`} pixel` : ''}, ${
    last
      ? 'over the whole map at once: one number for each digit'
      : `${relu ? 'negative sums cut off, ' : ''}giving ${outC} maps of ${outSize}×${outSize}`
  }. ${count(weightCount(spec) + outC)} parameters.</p>
<h3>What the digit becomes</h3>
<p>${last ? 'The ten sums before they are turned into probabilities; the brightest wins.' : 'Bright is where the kernel found what it looks for. Maps with a dashed frame found nothing in this digit.'}</p>
${await featureMaps(spec, maps)}
<details open><summary>The ${outC} kernels</summary>
<p>${inC > 1 ? `Each picture is one kernel: ${inC} slices, one for each map of the layer before.` : 'Each kernel is a picture of the stroke that it answers to.'}</p>
${await kernels(spec, weights)}</details>
</section>`;
}

function confusionTable(confusion: PageContent['confusion']): string {
  const head = Array.from({ length: CLASSES }, (_, digit) => `<th scope="col">${digit}</th>`).join('');
  const rows = confusion.map((row, label) => {
    const total = row.reduce((a, b) => a + b, 0);
    const cells = row.map((n, read) => `<td class="${n === 0 ? 'none' : read === label ? 'right' : 'wrong'}">${n}</td>`);
    return `<tr><th scope="row">${label}</th>${cells.join('')}<td class="share">${percent((row[label] as number) / total)}</td></tr>`;
  });
  return `<div class="scroll"><table><caption>Rows: the digit that was written. Columns: the digit that was read.</caption>
<thead><tr><td></td>${head}<th scope="col">right</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
}

async function misreadFigures(misread: readonly Misread[]): Promise<string> {
  const figures = misread.map(async ({ index, image, label, read, probability }) => {
    const alt = `Test digit ${index}: a ${label}, read as ${read}`;
    return `<figure>${img(await greyPicture(image, SIDE), alt, 2 * SIDE)}<figcaption><b>${label}</b> read as <b>${read}</b><br>${percent(probability)}</figcaption></figure>`;
  });
  return `<div class="pictures wide">${(await Promise.all(figures)).join('')}</div>`;
}

/** The whole page. */
export async function digitsPage(content: PageContent): Promise<string> {
  const { weights, index, image, label, probabilities, digits, misread, imagesPerSecond, jsImagesPerSecond } = content;
  const accuracy = 1 - misread.length / digits;
  const read = argmax(probabilities);
  const sections = await Promise.all(
    layers.map((spec, i) => layerSection(spec, i + 1, weights.layers[i] as LayerWeights, content.featureMaps[i] as Float32Array)),
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
<p>A network of ${layers.length} convolutions and ${count(parameterCount)} parameters, computed by <b>wasm-conv</b>, read ${count(digits)} digits of the MNIST test set.</p>
<dl>
<div><dt>read right</dt><dd>${(100 * accuracy).toFixed(2)} %</dd></div>
<div><dt>images a second, WebAssembly</dt><dd>${count(imagesPerSecond)}</dd></div>
<div><dt>images a second, plain JavaScript</dt><dd>${count(jsImagesPerSecond)}</dd></div>
<div><dt>times as fast</dt><dd>${(imagesPerSecond / jsImagesPerSecond).toFixed(1)}</dd></div>
</dl>
</header>
<main>
<section aria-labelledby="digit" class="digit">
<h2 id="digit">The digit</h2>
<div>${img(await greyPicture(image.subarray(0, PIXELS), SIDE), `Test digit ${index}, a handwritten ${label}`, 8 * SIDE)}
<div><p>Test digit ${index}, labelled <b>${label}</b>, read as <b>${read}</b>.</p>${probabilityBars(probabilities)}</div></div>
</section>
<p class="legend">In kernels: <span class="negative">blue is negative</span>, <span class="zero">white is zero</span>, <span class="positive">orange is positive</span>. In maps: black is zero, white the largest value of the map.</p>
${sections.join('\n')}
<section aria-labelledby="confusion"><h2 id="confusion">Which digits are taken for which</h2>${confusionTable(content.confusion)}</section>
<section aria-labelledby="misread"><h2 id="misread">The ${misread.length} misread digits</h2>
<p>Under each: what was written, what was read, and how sure the network was.</p>${await misreadFigures(misread)}</section>
</main>
</body>
</html>
`;
}
