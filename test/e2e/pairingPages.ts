import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';

/** The parts of axe's answer that are looked at. */
interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string }[];
}

/** A page that a test opened, and what its console and its network said. */
export interface Opened {
  readonly page: Page;
  /** What was wrong: errors of scripts, and what the page's own policy refused. */
  readonly complaints: readonly string[];
  readonly requests: readonly string[];
  /** The bytes of the bodies of its files, as they went over the wire. */
  readonly weight: () => Promise<number>;
}

/** Opens an address in a context of its own. */
export async function openPage(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Opened> {
  const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1_280, height: 800 }, ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  const requests: string[] = [];
  const sizes: Promise<number>[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    // Chromium writes refusals of the API there, which are part of what is tested.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      complaints.push(message.text());
  });
  page.on('request', (request) => requests.push(`${request.method()} ${new URL(request.url()).pathname}`));
  page.on('requestfinished', (request) => {
    if (new URL(request.url()).pathname.startsWith('/pair'))
      sizes.push(request.sizes().then(({ responseBodySize }) => responseBodySize));
  });
  await page.goto(url);
  const weight = async (): Promise<number> => (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  return { page, complaints, requests, weight };
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe finds wrong with a page as it is now, in both themes. */
export async function violationsOf(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe);
  const found: string[] = [];
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    const violations: readonly Violation[] = await page.evaluate('axe.run().then(({ violations }) => violations)');
    found.push(
      ...violations.map(({ id, nodes }) => `${colorScheme}: ${id}: ${nodes.map(({ html }) => html).join(' ')}`),
    );
  }
  await page.emulateMedia({ colorScheme: null });
  return found;
}

/** The page of a tenant, at an origin of its own: it answers every path with the same HTML, and keeps the addresses that were asked for. */
export async function startSite(html: () => string) {
  const asked: string[] = [];
  const referers: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    if (request.headers.referer !== undefined) referers.push(request.headers.referer);
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(html());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { origin: `http://127.0.0.1:${port}`, asked, referers, stop };
}

/** A page that frames another one, and writes down what that tells it. */
export function framing(address: string): string {
  return `<!doctype html><title>Shop</title><iframe title="Link" width="600" height="900" src="${address}"></iframe>
<script>window.told = []; addEventListener('message', ({ origin, data }) => told.push({ origin, ...data }));</script>`;
}
