import { VETTED_VERSION } from '../../../shared/fleet/whatsAppVersion.ts';
import type { VersionChoice } from '../../../worker/fleet/clientVersions.ts';

/** The vetted version, whatever WhatsApp says about it. */
export const neverRefused: VersionChoice = {
  of: () => VETTED_VERSION,
  isRefused: () => false,
  note: () => undefined,
};
