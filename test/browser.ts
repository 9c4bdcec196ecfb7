/** Chromium, driven through its debugging pipe: a page, its workers, and all that the browser has to say about them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { chromiumArgs, usualChromium } from '../bench/chromium.ts';

/** https://chromedevtools.github.io/devtools-protocol */
type Fields = Readonly<Record<string, unknown>>;

interface Message {
  readonly id?: number;
  readonly sessionId?: string;
  readonly method?: string;
  readonly params?: Fields;
  readonly result?: Fields;
  readonly error?: { readonly message: string };
}

/** Calls and events of the protocol, a text of JSON with a zero behind it each. */
class Connection {
  readonly #child: ChildProcess;
  readonly #to: Writable;
  readonly #waiting = new Map<number, { resolve(result: Fields): void; reject(error: Error): void }>();
  #calls = 0;
  #rest = '';
  /** Gets every event. */
  onEvent: (method: string, params: Fields, session: string) => void = () => {};

  constructor(child: ChildProcess) {
    const [, , , to, from] = child.stdio as unknown as [null, null, null, Writable, Readable];
    this.#child = child;
    this.#to = to;
    to.on('error', () => {});
    from.setEncoding('utf8').on('data', (text: string) => {
      const messages = (this.#rest + text).split('\0');
      this.#rest = messages.pop() as string;
      for (const message of messages) this.#receive(JSON.parse(message));
    });
    child.once('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the browser has ended'));
    });
  }

  #receive({ id, sessionId = '', method, params = {}, result = {}, error }: Message): void {
    if (id === undefined) {
      this.onEvent(method as string, params, sessionId);
      return;
    }
    const call = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error) call?.reject(new Error(error.message));
    else call?.resolve(result);
  }

  async call(method: string, params: Fields = {}, sessionId?: string): Promise<Fields> {
    if (this.#child.exitCode !== null) throw new Error('the browser has ended');
    const id = ++this.#calls;
    this.#to.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }
}

/** What a browser says of its own accord, in the page or in one of its workers; undefined for events that say nothing. */
function remark(method: string, params: Fields): string | undefined {
  type Params = {
    type: string;
    args: { value?: unknown; description?: string }[];
    entry: { source: string; level: string; text: string; url?: string };
    exceptionDetails: { text: string; exception?: { description?: string } };
    errorText: string;
  };
  const { type, args, entry, exceptionDetails, errorText } = params as unknown as Params;
  if (method === 'Runtime.consoleAPICalled') return `console.${type}: ${args.map((arg) => arg.value ?? arg.description).join(' ')}`;
  if (method === 'Log.entryAdded') return `${entry.source} ${entry.level}: ${entry.text} ${entry.url ?? ''}`;
  if (method === 'Runtime.exceptionThrown') return `exception: ${exceptionDetails.text} ${exceptionDetails.exception?.description ?? ''}`;
  if (method === 'Network.loadingFailed') return `network: ${errorText}`;
  return undefined;
}

/** A page, of which all is recorded from before its first line. */
export class Page {
  readonly #connection: Connection;
  readonly #target: string;
  readonly #session: string;
  /** Sessions of workers that live, and what each was made from. */
  readonly #workers = new Map<string, string>();
  /** Console, log, exceptions and failed requests, of the page and its workers. */
  readonly remarks: string[] = [];

  private constructor(connection: Connection, target: string, session: string) {
    this.#connection = connection;
    this.#target = target;
    this.#session = session;
  }

  /** Waits until the page's modules have run. */
  static async open(connection: Connection, url: string): Promise<Page> {
    const { targetId } = await connection.call('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await connection.call('Target.attachToTarget', { targetId, flatten: true });
    const page = new Page(connection, targetId as string, sessionId as string);
    const loaded = new Promise<void>((resolve) => {
      connection.onEvent = (method, params, session) => {
        if (method === 'Page.loadEventFired') resolve();
        page.#note(method, params, session);
      };
    });
    await page.#listen(page.#session);
    await connection.call('Page.enable', {}, page.#session);
    await connection.call('Page.navigate', { url }, page.#session);
    await loaded;
    return page;
  }

  async #listen(session: string): Promise<void> {
    const call = (method: string, params: Fields = {}) => this.#connection.call(method, params, session);
    // Workers wait until they are listened to.
    const ready = [call('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: true, flatten: true })];
    for (const domain of ['Runtime', 'Log', 'Network']) ready.push(call(`${domain}.enable`));
    ready.push(call('Runtime.runIfWaitingForDebugger'));
    await Promise.all(ready);
  }

  #note(method: string, params: Fields, session: string): void {
    if (method === 'Target.attachedToTarget') {
      const { sessionId, targetInfo } = params as { sessionId: string; targetInfo: { url: string } };
      this.#workers.set(sessionId, targetInfo.url);
      // A worker that has ended meanwhile does not answer.
      this.#listen(sessionId).catch(() => {});
    } else if (method === 'Target.detachedFromTarget') {
      this.#workers.delete(params.sessionId as string);
    } else if (session === this.#session || this.#workers.has(session)) {
      const said = remark(method, params);
      if (said !== undefined) this.remarks.push(said);
    }
  }

  /** Addresses of workers that live. */
  get workers(): readonly string[] {
    return [...this.#workers.values()];
  }

  /** @param expression is awaited; its value must have a form in JSON */
  async evaluate<R>(expression: string): Promise<R> {
    const { result, exceptionDetails } = (await this.#connection.call(
      'Runtime.evaluate',
      { expression, awaitPromise: true, returnByValue: true, allowUnsafeEvalBlockedByCSP: false },
      this.#session,
    )) as { result: { value: R }; exceptionDetails?: Fields };
    if (exceptionDetails) throw new Error(remark('Runtime.exceptionThrown', { exceptionDetails }));
    return result.value;
  }

  async close(): Promise<void> {
    await this.#connection.call('Target.closeTarget', { targetId: this.#target });
  }
}

export class Chromium {
  readonly #profile = mkdtempSync(join(tmpdir(), 'wasm-conv-chromium-'));
  readonly #child = spawn(
    usualChromium,
    [...chromiumArgs, '--headless', '--remote-debugging-pipe', `--user-data-dir=${this.#profile}`, 'about:blank'],
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] },
  );
  readonly #connection = new Connection(this.#child);

  /** One at a time. */
  open(url: string): Promise<Page> {
    return Page.open(this.#connection, url);
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    await this.#connection.call('Browser.close').then(
      () => ended,
      () => this.#child.kill(),
    );
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
