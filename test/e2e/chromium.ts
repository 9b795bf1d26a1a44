import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

/** Where systems have it; the tests bring none along. */
const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** What to do where there is none. */
export const NO_CHROMIUM =
  'There is no Chromium on this machine, so no page was opened. Install it (Debian: apt-get install chromium), or name it in CHROMIUM.';

/** The path of the Chromium of this machine; undefined where there is none. */
export function findChromium(): string | undefined {
  return [process.env['CHROMIUM'] ?? '', ...PLACES].find((path) => path !== '' && existsSync(path));
}

/** Starts it without a window. Its own sandbox does not work for root. */
export function startChromium(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] });
}
