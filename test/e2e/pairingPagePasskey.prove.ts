import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeTenant, type ApiClient } from '../../infra/local/apiClient.ts';
import { startStack } from '../../infra/local/stack.ts';
import type { RunningStack } from '../../infra/local/stackOptions.ts';
import { WhatsAppClient } from '../whatsapp/client.ts';
import { findChromium, NO_CHROMIUM } from './chromium.ts';
import { violationsOf } from './pairingPages.ts';
import { givePasskey, startPasskeyBrowser, type PasskeyBrowser } from './passkeyBrowser.ts';

const chromium = findChromium();
if (chromium === undefined) process.stdout.write(`${NO_CHROMIUM}\n`);
/** Where pictures of the screens are put, for a person to look at; nowhere when left out. */
const PICTURES = process.env['PICTURES'];
const PHONE = { width: 390, height: 844 } as const;

describe.skipIf(chromium === undefined)('a passkey on the pairing page, with the extension', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'holdfast-passkey-page-'));
  let stack: RunningStack;
  let phones: WhatsAppClient;
  let api: ApiClient;
  let browser: PasskeyBrowser;
  /** The account of each test, which no other one has. */
  let number = '4915100000040';
  beforeAll(async () => {
    stack = await startStack({
      dataDir,
      port: 0,
      live: false,
      workers: 1,
      shards: 1,
      say: () => undefined,
      onBroken: (reason) => expect.fail(reason),
    });
    phones = new WhatsAppClient(stack.whatsAppControlUrl ?? '');
    api = await makeTenant(stack.apiUrl, stack.operatorKey, 'Acme');
    browser = await startPasskeyBrowser(chromium ?? '', [new URL(stack.apiUrl).origin]);
    if (PICTURES !== undefined) mkdirSync(PICTURES, { recursive: true });
  });
  beforeEach(async () => {
    number = String(Number(number) + 1);
    await phones.addPhone(number, 'Ann');
  });
  afterAll(async () => {
    await browser?.stop();
    await stack?.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const picture = async (page: Page, name: string): Promise<void> => {
    if (PICTURES === undefined) return;
    const before = page.viewportSize();
    for (const [size, viewport] of [
      ['wide', before],
      ['phone', PHONE],
    ] as const) {
      if (viewport !== null) await page.setViewportSize(viewport);
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        await page.screenshot({ path: join(PICTURES, `${name}-${size}-${colorScheme}.png`), fullPage: true });
      }
    }
    await page.emulateMedia({ colorScheme: null });
    if (before !== null) await page.setViewportSize(before);
  };
  /** Opens the page of a new connection, and has the phone read its offer. Resolves once the passkey is asked for. */
  const ask = async (method: 'qr' | 'code' = 'qr'): Promise<{ readonly page: Page; readonly path: string }> => {
    const path = `/v1/connections/${String((await api.must('POST', '/v1/connections', {}))['id'])}`;
    const { url } = await api.must('POST', `${path}/pairing-links`, {});
    const page = await browser.context.newPage();
    await page.goto(String(url));
    if (method === 'qr') {
      await page.getByRole('button', { name: 'Scan a QR code' }).click();
      await page.getByRole('img').waitFor();
      await phones.scan(number, String((await api.must('GET', `${path}/pairing`))['qr']));
    } else {
      await page.getByRole('button', { name: 'Type a code on this phone' }).click();
      await page.getByLabel('Your WhatsApp number').fill(`+${number}`);
      await page.getByRole('button', { name: 'Get the code' }).click();
      await phones.typeCode(number, (await page.locator('#code').textContent()) ?? '');
    }
    await page.getByRole('heading', { name: 'WhatsApp asks for your passkey' }).waitFor();
    return { page, path };
  };
  /** Presses the button of the page, and resolves to the window of WhatsApp that opens. */
  const openWindow = async (page: Page): Promise<Page> => {
    const [opened] = await Promise.all([
      browser.context.waitForEvent('page'),
      page.getByRole('button', { name: 'Use my passkey' }).click(),
    ]);
    await opened.getByRole('heading', { name: 'Use your WhatsApp passkey?' }).waitFor();
    return opened;
  };
  /** Does in a window what closes it: that may be over before the press is. */
  const closeBy = async (opened: Page, act: Promise<void>): Promise<void> => {
    await Promise.all([opened.isClosed() || opened.waitForEvent('close'), act.catch(() => undefined)]);
  };
  const linked = (page: Page) => page.getByRole('heading', { name: 'Linked' }).waitFor();

  it.each(['qr', 'code'] as const)('is used on WhatsApp’s origin, and the account is linked by %s', async (method) => {
    await phones.demandPasskey(number);
    const { page } = await ask(method);
    const wrong = [...(await violationsOf(page))];
    await picture(page, 'sign');

    const opened = await openWindow(page);
    const text = await opened.locator('main').innerText();
    wrong.push(...(await violationsOf(opened)));
    await picture(opened, 'window');
    await givePasskey(opened, await phones.exportPasskey(number));
    await closeBy(opened, opened.getByRole('button', { name: 'Use my passkey' }).click());
    await linked(page);

    expect(text).toContain(new URL(stack.apiUrl).host);
    expect(wrong).toEqual([]);
  });

  it('is used by the keyboard alone, and the codes are compared where WhatsApp asks twice', async () => {
    await phones.demandPasskey(number, { again: true });
    const { page } = await ask();
    for (const round of [1, 2]) {
      await page.getByRole('button', { name: 'Use my passkey' }).waitFor();
      const [opened] = await Promise.all([
        browser.context.waitForEvent('page'),
        page.getByRole('button', { name: 'Use my passkey' }).press('Enter'),
      ]);
      await opened.getByRole('heading', { name: 'Use your WhatsApp passkey?' }).waitFor();
      await givePasskey(opened, await phones.exportPasskey(number));
      // The window has its first button focused.
      await closeBy(opened, opened.keyboard.press('Enter'));
      if (round === 1) await page.getByRole('heading', { name: 'WhatsApp asks for your passkey' }).waitFor();
    }
    await page.getByRole('heading', { name: 'Is this the code on your phone?' }).waitFor();
    const code = (await page.locator('#code').textContent()) ?? '';
    const wrong = await violationsOf(page);
    await picture(page, 'compare');
    const onPhone = await phones.passkey(number);

    await page.getByRole('button', { name: 'It is the same' }).press('Enter');
    await linked(page);

    expect(code.replace('-', '')).toBe(onPhone.code);
    expect(wrong).toEqual([]);
  });

  it('may be refused, and tried again; who closes the window has refused', async () => {
    await phones.demandPasskey(number);
    const { page } = await ask();

    const unwanted = await openWindow(page);
    await closeBy(unwanted, unwanted.getByRole('button', { name: 'Cancel' }).click());
    await page.getByText('The passkey was not used').waitFor();
    await picture(page, 'not-used');
    await (await openWindow(page)).close();
    await page.getByText('The passkey was not used').waitFor();
    const unwilling = await openWindow(page);
    await givePasskey(unwilling, await phones.exportPasskey(number), false);
    await closeBy(unwilling, unwilling.getByRole('button', { name: 'Use my passkey' }).click());
    await page.getByText('The passkey was not used').waitFor();
    const last = await openWindow(page);
    await givePasskey(last, await phones.exportPasskey(number));
    await closeBy(last, last.getByRole('button', { name: 'Use my passkey' }).click());

    await linked(page);
  });

  it('is given up with the page, and a press that no person made opens nothing', async () => {
    await phones.demandPasskey(number);
    const { page } = await ask();
    const opened = await openWindow(page);
    await opened.evaluate("document.querySelector('main button').click()");
    const isStill = await opened.getByRole('heading').isVisible();
    const isClosed = opened.waitForEvent('close');

    await page.close();
    await isClosed;

    expect(isStill).toBe(true);
  });

  it('is asked for by no other site, for no other site’s passkey, and once at a time', async () => {
    await phones.demandPasskey(number);
    const { page } = await ask();
    const request = (options: object): Promise<unknown> =>
      page.evaluate(`new Promise((resolve) => {
        addEventListener('message', ({ data }) => data.type === 'passkey.failed' && data.id === 'test' && resolve(data.code));
        postMessage({ holdfast: 1, type: 'passkey.sign', id: 'test', options: ${JSON.stringify(options)} }, location.origin);
      })`);
    const other = await browser.context.newPage();
    await other.goto(`${stack.apiUrl.replace('127.0.0.1', 'localhost')}/pair`);

    const codes = [
      await request({ challenge: 'AAAA', rpId: 'bank.example' }),
      await request({ challenge: 'A'.repeat(5_000), rpId: 'whatsapp.com' }),
    ];
    const opened = await openWindow(page);
    const second = await ask();
    await second.page.getByRole('button', { name: 'Use my passkey' }).click();
    await second.page.getByText('That did not work').first().waitFor();

    expect(codes).toEqual(['wrong_site', 'unsupported']);
    expect(await other.evaluate('document.documentElement.dataset.holdfastExtension ?? "none"')).toBe('none');
    expect(opened.isClosed()).toBe(false);
    await opened.close();
  });

  it('cannot be used without the extension, and the page says so', async () => {
    await phones.demandPasskey(number);
    const { page } = await ask();

    await page.evaluate('delete document.documentElement.dataset.holdfastExtension');
    await page.reload();
    await page.addInitScript(
      'addEventListener("DOMContentLoaded", () => delete document.documentElement.dataset.holdfastExtension)',
    );
    await page.reload();
    await page.getByText('only be used with the browser extension').waitFor();
    const wrong = await violationsOf(page);
    await picture(page, 'no-extension');

    expect(wrong).toEqual([]);
    expect(await page.getByRole('button', { name: 'Use my passkey' }).count()).toBe(0);
  });
});
