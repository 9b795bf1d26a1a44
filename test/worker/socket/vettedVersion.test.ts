import { DEFAULT_CONNECTION_CONFIG } from '@whiskeysockets/baileys';
import { expect, it } from 'vitest';
import { VETTED_VERSION } from '../../../shared/fleet/whatsAppVersion.ts';

it('vets the version of the pinned Baileys release', () => {
  expect(VETTED_VERSION).toBe(DEFAULT_CONNECTION_CONFIG.version.join('.'));
});
