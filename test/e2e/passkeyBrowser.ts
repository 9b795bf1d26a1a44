import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext, type Page } from 'playwright-core';
import { buildExtension } from '../../scripts/buildExtension.ts';
import { makeCertificate } from '../shared/webhook/certificate.ts';
import type { ExportedPasskey } from '../whatsapp/passkeyCredential.ts';

/** A browser that has the extension, and in which web.whatsapp.com is a server of the test. */
export interface PasskeyBrowser {
  readonly context: BrowserContext;
  readonly stop: () => Promise<void>;
}

/** Starts it. @param origins the origins of pairing pages that the extension is built for */
export async function startPasskeyBrowser(executablePath: string, origins: readonly string[]): Promise<PasskeyBrowser> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-extension-'));
  const extension = join(folder, 'extension');
  await buildExtension(extension, origins);
  const whatsApp = createServer(makeCertificate(), (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/plain' }).end('User-agent: *\n');
  });
  await new Promise<void>((resolve) => whatsApp.listen(0, '127.0.0.1', resolve));
  const { port } = whatsApp.address() as AddressInfo;
  const context = await chromium.launchPersistentContext(join(folder, 'profile'), {
    executablePath,
    locale: 'en-GB',
    viewport: { width: 1_280, height: 800 },
    args: [
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      `--disable-extensions-except=${extension}`,
      `--load-extension=${extension}`,
      `--host-resolver-rules=MAP web.whatsapp.com:443 127.0.0.1:${port}`,
      '--ignore-certificate-errors',
    ],
  });
  return {
    context,
    stop: async () => {
      await context.close();
      await new Promise<void>((resolve) => {
        whatsApp.close(() => resolve());
        whatsApp.closeAllConnections();
      });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Gives the authenticator of a page a passkey; its person is present, and is verified or refuses. */
export async function givePasskey(page: Page, passkey: ExportedPasskey, isWilling = true): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send('WebAuthn.enable');
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: isWilling,
      automaticPresenceSimulation: true,
    },
  });
  await session.send('WebAuthn.addCredential', { authenticatorId, credential: passkey });
}
