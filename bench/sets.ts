/** The layer sets of shapes/: files beside this one in a checkout, beside the command in the package. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { type LayerShape, parseShapes } from './shapes.ts';

/** What each set holds. */
export const setNotes = {
  core: 'the 19 layers that the targets are measured on',
  digits: 'the network of examples/digits',
  family: 'every other operation, in each dimension it has',
  images: 'filters of pictures, and layers of one to three filters',
  resnet50: 'ResNet-50',
  vgg16: 'VGG-16',
  mobilenetv2: 'MobileNetV2',
  'efficientnet-b0': 'EfficientNet-B0',
  shufflenet: 'ShuffleNet 1x, three groups',
  deeplab: 'DeepLab on VGG-16, dilated',
  dcgan: 'DCGAN, transposed',
  unet: 'U-Net',
  c3d: 'C3D, three dimensions',
  sizes: 'one layer at growing images',
} as const;

export const setNames: readonly string[] = Object.keys(setNotes);

/** What is measured where nothing is named. */
export const defaultSets: readonly string[] = ['core', 'digits', 'family'];

/** Flops that naive loops compute in about half a second: ResNet's layers are below it, and fifteen calls of those are a wait that one accepts. */
export const naiveMost = 300e6;

export interface LayerSet {
  readonly set: string;
  readonly layers: readonly LayerShape[];
}

/**
 * @param name of a set, or the path of a file
 * @returns undefined where there is no such file
 * @throws SyntaxError or RangeError for a file that holds a mistake
 */
export function readSet(name: string): LayerSet | undefined {
  const file = setNames.includes(name) ? new URL(`./shapes/${name}.txt`, import.meta.url) : name;
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
  const set = basename(name, '.txt');
  return { set, layers: parseShapes(text, `${set}.txt`) };
}
