import { z } from 'zod';

const milliseconds = (fallback: number) => z.coerce.number().int().positive().default(fallback);

/** Settings that lead to WhatsApp. */
export const whatsAppSettings = {
  /** The URL of the WhatsApp server; WhatsApp's own when left out. Another one needs `WHATSAPP_ROOT_KEY`, too. */
  WHATSAPP_URL: z.url({ protocol: /^wss?$/ }).default('wss://web.whatsapp.com/ws/chat'),
  /**
   * The public key of the authority that signs the server's Noise certificate, 32 bytes in hex; WhatsApp's own when left
   * out.
   */
  WHATSAPP_ROOT_KEY: z
    .string()
    .regex(/^[0-9a-f]{64}$/i)
    .optional(),
  /**
   * The version of WhatsApp's client with which sockets present themselves until an operator names one; the version that
   * is vetted in the code when left out.
   */
  WHATSAPP_VERSION: z
    .string()
    .regex(/^\d{1,3}\.\d{1,5}\.\d{1,12}$/, 'must be three numbers, such as 2.3000.1043857760')
    .optional(),
  /** How often a worker reads whether an operator has named another version, in milliseconds; 30 s when left out. */
  WHATSAPP_VERSION_READ_MS: milliseconds(30_000),
} as const;

/** Settings that lead to the files of WhatsApp. */
export const whatsAppFileSettings = {
  /** The URL of WhatsApp's host of files; WhatsApp's own when left out. */
  WHATSAPP_FILES_URL: z.url({ protocol: /^https?$/ }).default('https://mmg.whatsapp.net'),
} as const;
