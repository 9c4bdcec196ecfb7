import { describe, expect, it } from 'vitest';
import { families } from '../bench/page/contestants.ts';
import { contrast, difference, sights } from './colour-sight.ts';

describe('colours', () => {
  it.each(Object.entries(sights))('stay apart in %s sight, by day and by night', (_, sight) => {
    for (const by of ['light', 'dark'] as const)
      for (const [i, a] of families.entries())
        for (const b of families.slice(i + 1)) expect(difference(a[by][0], b[by][0], sight), `${by}: ${a.id}, ${b.id}`).toBeGreaterThan(20);
  });

  it('have an outline or a filling that stands out from the ground (WCAG 2.2, 1.4.11), and a pattern and a mark of their own', () => {
    for (const [by, ground] of [
      ['light', '#ffffff'],
      ['dark', '#16161a'],
    ] as const)
      for (const family of families)
        expect(Math.max(...family[by].map((colour) => contrast(colour, ground))), family.id).toBeGreaterThan(3);
    for (const key of ['pattern', 'mark'] as const) expect(new Set(families.map((family) => family[key])).size).toBe(families.length);
  });
});
