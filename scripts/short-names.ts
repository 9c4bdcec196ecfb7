/**
 * Property names that the build makes short. They are those of our own records, which nobody else reads; a minifier cannot know that, and leaves them long. A page
 * with conv2d alone loads half a kilobyte less.
 */
import { transform } from 'esbuild';

/**
 * In order of how often a page with conv2d alone has them: the first get the shortest names. test/short-names.test.ts holds that nobody else reads or writes them.
 */
export const shortened: readonly string[] = [
  'channelsLast outC groupInC kind pack outSize workBytes rows inSize batch inC heap band weightStride points images rank start padBegin',
  'kernels slices channels groupOutC release biasStride high low least biasGroups packedBytes weightFloats f32 factors recordBytes asked',
  'kernelShuffle padEnd checkAlive most inPlace paddedBytes source packShuffle sizes keeper pointer sides team derived packings task strideO',
  'strideTap border innerBand cost derive floats result clamped isBack summed tilesNeed bands cells fromC toC biasBytes strideI',
  'stripBytes holds gatheredBytes crew extras maximumPages share sooner key operand write count panels taskPanels tasks layer starts back parts',
  'shapeOf blocks gaps describe taskChannels taskRows together',
].flatMap((line) => line.split(' '));

/** a, b … Z, aA, bA … */
export function shortNameOf(n: number): string {
  const letters = 'abcdefghijklmnopqrstuvwxyz';
  const all = letters + letters.toUpperCase();
  const rest = n - all.length;
  return rest < 0 ? all.charAt(n) : letters.charAt(rest % 26) + all.charAt(26 + Math.floor(rest / 26));
}

/** For rolldown: every chunk with these names short, and a map to where they were not. */
export const shortNames = {
  name: 'short-names',
  renderChunk: async (code: string, { fileName }: { readonly fileName: string }): Promise<{ code: string; map: string } | null> => {
    // Types come as chunks, too.
    if (!fileName.endsWith('.js')) return null;
    const mangleProps = new RegExp(`^(${shortened.join('|')})$`);
    const mangleCache = Object.fromEntries(shortened.map((name, n) => [name, shortNameOf(n)]));
    return transform(code, { mangleProps, mangleCache, format: 'esm', target: 'es2022', charset: 'utf8', sourcemap: 'external' });
  },
};
