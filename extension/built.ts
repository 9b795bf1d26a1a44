/** What a build of the extension is for; `npm run build:extension` writes it in. */
declare const BUILT_FOR: {
  /** The origins of the pairing pages that may ask. */
  readonly origins: readonly string[];
  /** The origin on which WhatsApp's passkeys are used. */
  readonly whatsApp: string;
  /** The relying party of WhatsApp's passkeys. */
  readonly rpId: string;
  /** The address at which a person is asked: a small text of WhatsApp's origin, with nothing of its own client. */
  readonly askingAt: string;
};

export const { origins, whatsApp, rpId, askingAt } = BUILT_FOR;
