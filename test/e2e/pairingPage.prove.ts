import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toSquares } from '../../functions/routes/pairingSession.ts';
import { makeTenant, type ApiClient } from '../../infra/local/apiClient.ts';
import { startStack } from '../../infra/local/stack.ts';
import type { RunningStack } from '../../infra/local/stackOptions.ts';
import { WhatsAppClient } from '../whatsapp/client.ts';
import { findChromium, NO_CHROMIUM, startChromium } from './chromium.ts';
import { framing, openPage, startSite, violationsOf } from './pairingPages.ts';

/** The numbers of the phones that are linked, one for each test that links one. */
const [BY_QR, BY_CODE, BY_KEYS, FRAMED] = ['4915100000021', '4915100000022', '4915100000023', '4915100000024'] as const;
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true } as const;
/** The most that all files of the page may weigh on the wire, in bytes. */
const MOST_BYTES = 40_000;
const chromium = findChromium();
if (chromium === undefined) process.stdout.write(`${NO_CHROMIUM}\n`);
/** Where pictures of the screens are put, for a person to look at; nowhere when left out. */
const PICTURES = process.env['PICTURES'];

describe.skipIf(chromium === undefined)('the pairing page in a browser', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'holdfast-page-'));
  let stack: RunningStack;
  let phones: WhatsAppClient;
  let api: ApiClient;
  let browser: Browser;
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
    for (const number of [BY_QR, BY_CODE, BY_KEYS, FRAMED]) await phones.addPhone(number, 'Ada');
    api = await makeTenant(stack.apiUrl, stack.operatorKey, 'Acme');
    browser = await startChromium(chromium ?? '');
    if (PICTURES !== undefined) mkdirSync(PICTURES, { recursive: true });
  });
  afterAll(async () => {
    await browser?.close();
    await stack?.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const aLink = async (terms: object = {}) => {
    const { id } = await api.must('POST', '/v1/connections', {});
    const made = await api.must('POST', `/v1/connections/${String(id)}/pairing-links`, terms);
    return { path: `/v1/connections/${String(id)}`, linkId: String(made['id']), url: String(made['url']) };
  };
  const picture = async (page: Page, name: string): Promise<void> => {
    if (PICTURES === undefined) return;
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: join(PICTURES, `${name}-${colorScheme}.png`), fullPage: true });
    }
    await page.emulateMedia({ colorScheme: null });
  };
  const offered = async (path: string): Promise<string> => String((await api.must('GET', `${path}/pairing`))['qr']);

  it('shows a QR code that a phone scans, is linked, and sends the person back', async () => {
    const site = await startSite(() => '<!doctype html><title>Shop</title><h1>Shop</h1>');
    const { path, url } = await aLink({ returnUrl: `${site.origin}/done?order=7` });
    const { page, complaints, requests, weight } = await openPage(browser, url);
    const choose = page.getByRole('button', { name: 'Scan a QR code' });
    await choose.waitFor();
    const wrong = [...(await violationsOf(page))];
    await picture(page, 'choose');
    const files = requests.filter((request) => /^GET \/pair(?!\/sandbox)/.test(request)).length;

    const startedMs = performance.now();
    await choose.click();
    await page.getByRole('img', { name: 'QR code for WhatsApp' }).waitFor();
    const tookMs = Math.round(performance.now() - startedMs);
    wrong.push(...(await violationsOf(page)));
    await picture(page, 'qr');
    const qr = await offered(path);
    await expect.poll(() => page.locator('svg.qr path').getAttribute('d')).toBe(toSquares(qr).path);
    const countdown = await page.locator('#countdown').textContent();
    await phones.scan(BY_QR, await offered(path));
    await page.getByRole('heading', { name: 'Linked' }).waitFor();
    wrong.push(...(await violationsOf(page)));
    await picture(page, 'linked');
    const text = await page.locator('main').innerText();
    await page.waitForURL(`${site.origin}/**`);
    const address = page.url();
    const bytes = await weight();
    await site.stop();

    process.stdout.write(`page: ${bytes} bytes in ${files} requests, first QR ${tookMs} ms after it was asked for\n`);
    expect(wrong).toEqual([]);
    expect(complaints).toEqual([]);
    expect(countdown).toMatch(/^New code in \d+ s$/);
    expect(text).toContain('•••• 0021');
    expect(text).not.toContain(BY_QR);
    expect(address).toBe(`${site.origin}/done?order=7&connectionId=${path.split('/').at(-1)}&pairing=linked`);
    expect(site.referers.filter((referer) => !referer.startsWith(site.origin))).toEqual([]);
    expect(bytes).toBeLessThan(MOST_BYTES);
    expect(files).toBe(4);
  });

  it('offers the code first on a phone, in the language of the link', async () => {
    const { path, url } = await aLink({ language: 'pt', brand: { name: 'Padaria da Ana', color: '#ffd400' } });
    const { page, complaints } = await openPage(browser, url, { ...PHONE, colorScheme: 'dark' });
    const first = page.getByRole('button').first();
    await first.waitFor();
    const isFirst = await first.textContent();
    const name = await page.getByText('Padaria da Ana').isVisible();
    const colors = await page.evaluate(
      '(({ backgroundColor, color }) => [backgroundColor, color])(getComputedStyle(document.querySelector("button")))',
    );
    await picture(page, 'phone-choose');

    await first.tap();
    await page.getByLabel('Seu número do WhatsApp').fill('no number');
    await page.getByRole('button', { name: 'Receber o código' }).tap();
    const refusal = await page.locator('#hint').textContent();
    const wrong = [...(await violationsOf(page))];
    await picture(page, 'phone-number');
    await page.getByLabel('Seu número do WhatsApp').fill(`+${BY_CODE}`);
    await page.getByRole('button', { name: 'Receber o código' }).tap();
    const code = (await page.locator('#code').textContent()) ?? '';
    wrong.push(...(await violationsOf(page)));
    await picture(page, 'phone-code');
    const width = await page.evaluate('document.documentElement.scrollWidth');
    await phones.typeCode(BY_CODE, code);
    await page.getByRole('heading', { name: 'Conectado' }).waitFor();
    await expect.poll(() => api.must('GET', path)).toMatchObject({ status: { status: 'online' } });

    expect(isFirst).toBe('Digitar um código neste telefone');
    expect([name, colors]).toEqual([true, ['rgb(255, 212, 0)', 'rgb(0, 0, 0)']]);
    expect(refusal).toContain('não é um número');
    expect(code).toMatch(/^\w{4}-\w{4}$/);
    expect(width).toBe(PHONE.viewport.width);
    expect(await page.locator('html').getAttribute('lang')).toBe('pt');
    expect([wrong, complaints]).toEqual([[], []]);
  });

  it('is used by the keyboard alone, and says what it shows to who does not see it', async () => {
    const { url } = await aLink();
    const { page } = await openPage(browser, url);
    await page.getByRole('button', { name: 'Scan a QR code' }).waitFor();
    const focused = (): Promise<unknown> =>
      page.evaluate('document.activeElement.textContent || document.activeElement.id');

    await page.keyboard.press('Tab');
    const first = await focused();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.locator('#number').waitFor();
    const field = await focused();
    await page.keyboard.type(`+${BY_KEYS}`);
    await page.keyboard.press('Enter');
    const said = page.locator('#status');
    await expect.poll(() => said.textContent()).toContain('One moment');
    const code = (await page.locator('#code').textContent()) ?? '';
    const heading = await focused();
    await phones.typeCode(BY_KEYS, code);
    await page.getByRole('heading', { name: 'Linked' }).waitFor();

    expect([first, field, heading]).toEqual(['Scan a QR code', 'number', 'Type this code in WhatsApp']);
    expect(await said.textContent()).toBe('The account •••• 0023 is linked.');
  });

  it('links the sandbox phone of the embedded stack at a press, and shows what a customer writes to it', async () => {
    const { url } = await aLink();
    const { page, complaints } = await openPage(browser, url);
    await page.getByRole('button', { name: 'Scan a QR code' }).click();
    await page.getByRole('button', { name: 'Scan with the sandbox phone' }).click();
    await page.getByRole('heading', { name: 'Linked' }).waitFor();
    await page.getByLabel('Write as a customer').fill('Is it on its way? 😀');
    await page.keyboard.press('Enter');
    await page.getByRole('listitem').getByText('Is it on its way? 😀').waitFor();
    const wrong = await violationsOf(page);
    await picture(page, 'sandbox');

    expect([wrong, complaints]).toEqual([[], []]);
  });

  it('says what became of a refused pairing, and offers another', async () => {
    const { path, url } = await aLink();
    const { page } = await openPage(browser, url);
    await page.getByRole('button', { name: 'Scan a QR code' }).click();
    await page.getByRole('img').waitFor();

    const shown = await offered(path);
    await phones.strike({ kind: 'strike_registration', shown, strike: { kind: 'failure', reason: 401 } });
    await page.getByText('WhatsApp did not allow a new device').waitFor();
    const wrong = await violationsOf(page);
    await picture(page, 'refused');
    await page.getByRole('button', { name: 'Scan a QR code' }).click();
    await page.getByRole('img').waitFor();

    expect(wrong).toEqual([]);
  });

  it('goes on with the next QR code when one has ended, and says when none came to anything', async () => {
    const { path, url } = await aLink();
    const { page } = await openPage(browser, url);
    await page.getByRole('button', { name: 'Scan a QR code' }).click();
    await page.getByRole('img').waitFor();
    const first = await page.locator('svg.qr path').getAttribute('d');

    await expect.poll(() => page.locator('svg.qr path').getAttribute('d'), { timeout: 120_000 }).not.toBe(first);
    await api.must('POST', `${path}/stop`);

    await page.getByRole('button', { name: 'Scan a QR code' }).waitFor();
  });

  it('closes when its link is revoked or its time is over, and for what is no link', async () => {
    const { path, linkId, url } = await aLink();
    const short = await aLink({ expiresIn: 60 });
    const { page } = await openPage(browser, url);
    const late = (await openPage(browser, short.url)).page;
    await page.getByRole('button', { name: 'Scan a QR code' }).waitFor();
    await late.getByRole('button', { name: 'Scan a QR code' }).waitFor();

    await api.must('DELETE', `${path}/pairing-links/${linkId}`);
    await page.getByRole('heading', { name: 'This link cannot be used' }).waitFor();
    const wrong = await violationsOf(page);
    await picture(page, 'closed');
    const none = (await openPage(browser, `${stack.apiUrl}/pair#pair_nothing`)).page;
    await none.getByText('The address is not complete').waitFor();
    await late.getByText('It has expired').waitFor({ timeout: 90_000 });

    expect(await page.getByRole('button').count()).toBe(0);
    expect(wrong).toEqual([]);
  });

  it('is framed by the origin of its link alone, and tells that origin what became of it', async () => {
    let address = '';
    const shop = await startSite(() => framing(address));
    const other = await startSite(() => framing(address));
    const { path, url } = await aLink({ origin: shop.origin });
    address = url;
    const right = (await openPage(browser, shop.origin)).page;
    const frame = right.frameLocator('iframe');
    await frame.getByRole('button', { name: 'Scan a QR code' }).click();
    await frame.getByRole('img').waitFor();

    const kept = (await openPage(browser, other.origin)).page;
    await kept.waitForTimeout(1_000);
    const inside = await kept
      .frames()[1]
      ?.evaluate('document.body.innerText')
      .catch(() => '');
    address = url.replace(encodeURIComponent(shop.origin), encodeURIComponent(other.origin));
    const forged = (await openPage(browser, other.origin)).page;
    await forged.frameLocator('iframe').getByText('inside a site that the link is not for').waitFor();
    await phones.scan(FRAMED, await offered(path));
    await frame.getByRole('heading', { name: 'Linked' }).waitFor();
    await expect.poll(() => right.evaluate('told.at(-1)')).toMatchObject({ state: 'linked', isOnline: true });
    const told = await right.evaluate('told.map(({ origin, type, state }) => [origin, type, state])');
    await Promise.all([shop.stop(), other.stop()]);

    expect(inside).not.toContain('WhatsApp');
    expect(told).toEqual(
      expect.arrayContaining([
        [stack.apiUrl, 'holdfast.pairing', 'offered'],
        [stack.apiUrl, 'holdfast.pairing', 'linked'],
      ]),
    );
    expect(await forged.evaluate('told')).toEqual([]);
  });
});
