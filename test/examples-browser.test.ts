/** The example of a page without a bundler, in Chromium, on the files of the packed package. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { type LocalServer, serveLocally } from '../bench/local-server.ts';
import { Chromium, type Page } from './browser.ts';
import { classes, png } from './examples-pictures.ts';
import { makeProject, type Project } from './examples-project.ts';
import { describeHosts } from './hosts/describe-hosts.ts';
import { chromium as chromiumHost } from './hosts/hosts.ts';

describeHosts([chromiumHost], () => {
  let project: Project;
  let server: LocalServer;
  let chromium: Chromium;
  let page: Page;

  beforeAll(async () => {
    project = makeProject();
    // As in this repository, where the library is built into /dist/.
    const fileAt = (path: string): string => join(project.folder, path.replace(/^\/dist\//, '/node_modules/wasm-conv/dist/'));
    // The browser asks for an icon of its own accord.
    server = await serveLocally(async (path) => (path === '/favicon.ico' ? '' : readFile(fileAt(path)).catch(() => undefined)), {});
    chromium = new Chromium();
  });
  beforeEach(async () => {
    page = await chromium.open(`${server.url}examples/browser-plain/index.html`);
    await expect.poll(text('pre')).not.toBe('');
  });
  afterEach(() => page.close());
  afterAll(async () => {
    await chromium.close();
    server.close();
    project.remove();
  });

  const text = (selector: string) => () => page.evaluate<string>(`document.querySelector('${selector}').textContent`);

  /** Gives the page a file, as if one were chosen. */
  async function choose(bytes: Uint8Array): Promise<void> {
    await page.evaluate(`(() => {
      const chosen = new DataTransfer();
      chosen.items.add(new File([Uint8Array.from(${JSON.stringify([...bytes])})], 'digit.png'));
      const input = document.querySelector('input');
      input.files = chosen.files;
      input.dispatchEvent(new Event('change'));
    })()`);
  }

  /** Draws from point to point, by the events that a pen makes. */
  async function draw(points: readonly (readonly [x: number, y: number])[]): Promise<void> {
    await page.evaluate(`(() => {
      const canvas = document.querySelector('canvas');
      const { left, top } = canvas.getBoundingClientRect();
      const send = (type, [x, y]) => canvas.dispatchEvent(new PointerEvent(type,
        { clientX: left + canvas.clientLeft + x, clientY: top + canvas.clientTop + y, buttons: 1 }));
      const points = ${JSON.stringify(points)};
      send('pointerdown', points[0]);
      for (const point of points) send('pointermove', point);
    })()`);
  }

  const seven = [
    [80, 60],
    [200, 60],
    [120, 230],
  ] as const;

  it.each(classes)('reads a %i from a file', async (digit) => {
    await choose(await png(digit));
    await expect.poll(text('output')).toBe(`${digit}`);
    const reading = JSON.parse(await text('pre')());
    expect(reading).toEqual({ digit, probabilities: expect.any(Array), milliseconds: expect.any(Number) });
    expect(reading.probabilities).toHaveLength(10);
    expect(page.remarks).toEqual([]);
  });

  it('reads what is drawn, until it is cleared', async () => {
    expect(await text('output')()).toBe('–');
    await draw(seven);
    expect(await text('output')()).toBe('7');
    await page.evaluate(`document.querySelector('button').click()`);
    expect(await text('output')()).toBe('–');
    await draw([
      [140, 50],
      [140, 230],
    ]);
    expect(await text('output')()).toBe('1');
    expect(page.remarks).toEqual([]);
  });

  it('says so where a file is no picture', async () => {
    await draw(seven);
    await choose(Buffer.from('a seven'));
    await expect.poll(text('output')).toBe('–');
    expect(JSON.parse(await text('pre')())).toEqual({ error: 'there is no digit' });
    expect(page.remarks).toEqual([]);
  });

  it('has a name for everything that is used', async () => {
    expect(await page.evaluate(`document.querySelector('input').labels[0].textContent.trim()`)).not.toBe('');
    expect(await page.evaluate(`document.querySelector('canvas').getAttribute('aria-label')`)).not.toBe('');
    expect(await text('button')()).not.toBe('');
    // A change of an <output> is read out.
    expect(await page.evaluate(`document.querySelectorAll('output').length`)).toBe(1);
  });
});
