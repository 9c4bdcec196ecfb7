/** The JavaScript loops that WebAssembly is measured against compute what the naive ones do. */
import { expect, it } from 'vitest';
import { naiveContestant } from '../bench/naive.ts';
import { optimisedContestant } from '../bench/optimised.ts';
import { difference, makeProblem, type Problem } from '../bench/problem.ts';
import { parseLayer } from '../bench/shapes.ts';

const problemOf = (words: string): Problem => makeProblem(parseLayer(words, 'here'));

/** Channels and pixels below, on and above a block, one at a time; then what else a layer can be. */
const blocks = [1, 3, 4, 5, 9].map((outC) => `ic2ih5iw4oc${outC}kh3kw2`);
const pixels = [3, 4, 5, 6].map((inW) => `ic3ih3iw${inW}oc4kh3kw3`);
const others = [
  'mb3ic2ih6oc5kh3ph1',
  'ic3ih9iw8oc4kh3sh2ph1',
  'ic3ih9iw10oc4kh1sh2',
  'ic2ih9iw11oc4kh2kw3sh1sw3dh1dw2ph2pw1',
  'ic2ih8oc3oh8kh4ph1',
  'ic1ih112oc1oh56kh3sh2',
  'g2ic4ih7iw6oc6oh4ow3kh3sh2ph1',
  'g3ic6ih5oc15kh1',
  'ic3iw19oc5kw4sw2pw3',
  'ic2id5ih4iw6oc5kd2kh3kw3pd1',
  'ic1ih7oc6kh3',
  'mb2ic3ih5iw6oc5kh1',
  'mb2g2ic4ih9iw8oc8kh2sh2',
  'mb2g2ic2ih6oc10kh3ph1',
];
const depthwise = [
  ...[3, 4, 5, 8, 9].map((inW) => `g2ic2ih4iw${inW}oc2kh3ph1`),
  'mb2g3ic3ih9iw8oc3kh3sh2ph1',
  'g2ic2ih9oc2kh5ph2',
  'g2ic2ih9oc2kh3dh1ph2',
  'g2ic2ih9iw8oc2kh3dh1dw0',
  'mb2g3ic3ih6oc6kh3ph1',
  'mb2g3ic3ih6iw7oc3kh3',
  'mb2g3ic3ih6iw8oc9kh2sh2',
  'g2ic2id4ih5oc2kd3kh1kw3',
  'g4ic4iw12oc4kw9pw4',
  'g2ic2id4oc2kd3kh3kw1',
];

it.each([...blocks, ...pixels, ...others, ...depthwise])('%s', (words) => {
  const problem = problemOf(words);
  const [naive, optimised] = [naiveContestant(problem), optimisedContestant(problem)];
  naive.run();
  // Twice: the padded copy is used again, and what is not written shows.
  for (let call = 0; call < 2; call++) {
    optimised?.result().fill(Number.NaN);
    optimised?.run();
    expect(difference(problem, optimised?.result() ?? new Float32Array(), naive.result())).toBeUndefined();
  }
});

it('leaves other operations to the naive loops', () => {
  expect(optimisedContestant(problemOf('deconv ic1ih3oc1kh2'))).toBeUndefined();
  expect(optimisedContestant(problemOf('gaussian ic1ih5oc1kh3'))).toBeUndefined();
});
