/** The part of digits.html that shows the layers: what each kernel is, and what it makes of the digit. */
import { type ConvSpec, type LayerWeights, layers, weightCount } from './network.ts';
import { greyPicture, kernelPicture, signedSquare } from './png.ts';

export const count = (n: number): string => Math.round(n).toLocaleString('en-US');

export function img(src: string, alt: string, width: number, height = width): string {
  return `<img src="${src}" alt="${alt}" width="${width}" height="${height}">`;
}

/** What one layer is for, for a reader who has not met a convolution. */
const about: Readonly<Record<string, string>> = {
  strokes:
    'A kernel is a small grid of weights that slides over the picture. At every place it multiplies the pixels below it by its weights and adds them up: the sum is large where the picture looks like the kernel. These eight look at the pixels themselves and answer to strokes and edges of one direction.',
  halved:
    'Each kernel now looks at all eight maps above at once, with its own small grid for each. It moves two pixels at a time, so that its map is half as wide and half as high.',
  corners: 'Kernels that look at the maps of kernels: strokes that meet, bend or end.',
  parts: 'Half the size again. A cell of these maps has seen a good part of the picture: an arch, a loop, the foot of a stroke.',
  digits:
    'Here the kernels are as large as the maps, so each has only one place to lie, and gives one number: how much the whole picture looks like its digit. This is what other networks call a dense layer.',
};

/** Pictures are shown at whole multiples of their size, so that every cell stays a square. */
function multiple(size: number, wanted: number, least: number): number {
  return size * Math.max(least, Math.round(wanted / size));
}

async function kernelImage(spec: ConvSpec, { weight, bias }: LayerWeights, c: number): Promise<string> {
  const { inC, kernel } = spec;
  const size = inC * kernel * kernel;
  const { picture, width, height } = kernelPicture(weight.subarray(c * size, (c + 1) * size), inC, kernel);
  const slices = inC > 1 ? `${inC} grids` : 'a grid';
  const alt = `Kernel ${c} of layer ${spec.name}: ${slices} of ${kernel} by ${kernel} weights, bias ${bias[c]?.toFixed(2)}`;
  const wide = multiple(width, inC > 1 ? 130 : 84, kernel > 3 ? 3 : 4);
  return img(await picture, alt, wide, (wide / width) * height);
}

async function mapImage(spec: ConvSpec, maps: Float32Array, c: number): Promise<{ picture: string; silent: boolean; value: string }> {
  const { outSize } = spec;
  const pixels = outSize * outSize;
  const map = maps.subarray(c * pixels, (c + 1) * pixels);
  const top = map.reduce((a, b) => Math.max(a, b), -Infinity);
  if (pixels === 1) {
    const largest = maps.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    const alt = `Feature map ${c} of layer ${spec.name}, a single number: ${top.toFixed(1)}`;
    return { picture: img(await signedSquare(top, largest), alt, 56), silent: false, value: top.toFixed(1).replace('-', '−') };
  }
  const alt = `Feature map ${c} of layer ${spec.name}, ${outSize} by ${outSize}, largest value ${top.toFixed(2)}`;
  return { picture: img(await greyPicture(map, outSize), alt, 84), silent: top <= 0, value: '' };
}

/** Kernel and map of one number side by side, where a kernel is small enough to be read. */
async function pairs(spec: ConvSpec, weights: LayerWeights, maps: Float32Array): Promise<string> {
  const figures = Array.from({ length: spec.outC }, async (_, c) => {
    const [kernel, { picture, silent }] = await Promise.all([kernelImage(spec, weights, c), mapImage(spec, maps, c)]);
    const arrow = '<span aria-hidden="true">→</span>';
    return `<figure${silent ? ' class="silent"' : ''}><div class="pair">${kernel}${arrow}${picture}</div><figcaption>kernel ${c} and its map</figcaption></figure>`;
  });
  return `<h3>Kernels and what they make of the digit</h3><div class="pictures">${(await Promise.all(figures)).join('')}</div>`;
}

async function apart(spec: ConvSpec, weights: LayerWeights, maps: Float32Array): Promise<string> {
  const { outC, inC, outSize } = spec;
  const every = Array.from({ length: outC }, (_, c) => c);
  const shown = every.map(async (c) => {
    const { picture, silent, value } = await mapImage(spec, maps, c);
    return `<figure${silent ? ' class="silent"' : ''}>${picture}<figcaption>${c}${value && `: ${value}`}</figcaption></figure>`;
  });
  const kernels = every.map(
    async (c) => `<figure class="kernel">${await kernelImage(spec, weights, c)}<figcaption>${c}</figcaption></figure>`,
  );
  return `<h3>${outSize === 1 ? 'The ten numbers' : 'Feature maps'}</h3>
<p>${outSize === 1 ? 'On the scale of the kernels; the largest wins, and all ten together are turned into the probabilities above.' : 'What each kernel makes of the digit.'}</p>
<div class="pictures">${(await Promise.all(shown)).join('')}</div>
<details open><summary>The ${outC} kernels</summary>
<p>Each picture is one kernel: ${inC} grids, in the order of the ${inC} maps of the layer before.</p>
<div class="pictures">${(await Promise.all(kernels)).join('')}</div></details>`;
}

/** The section of layer `number`, counted from 1. */
export async function layerSection(spec: ConvSpec, number: number, weights: LayerWeights, maps: Float32Array): Promise<string> {
  const { name, inC, outC, kernel, stride, inSize, outSize, relu } = spec;
  const from = inC === 1 ? `the picture of ${inSize}×${inSize}` : `${inC} maps of ${inSize}×${inSize}`;
  const to = outSize === 1 ? `${outC} numbers` : `${outC} maps of ${outSize}×${outSize}`;
  const facts = [
    `${outC} kernels of ${kernel}×${kernel}${inC > 1 ? `×${inC}` : ''}`,
    stride > 1 ? `stride ${stride}` : '',
    relu ? 'sums below zero are set to zero' : '',
    `${count(weightCount(spec) + outC)} parameters`,
  ];
  return `<section aria-labelledby="layer-${number}">
<h2 id="layer-${number}">Layer ${number} of ${layers.length}: ${name}</h2>
<p>${about[name] ?? ''}</p>
<p class="facts">From ${from} to ${to}: ${facts.filter(Boolean).join(', ')}.</p>
${inC === 1 ? await pairs(spec, weights, maps) : await apart(spec, weights, maps)}
</section>`;
}
