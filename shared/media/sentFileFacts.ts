import { z } from 'zod';

/** What a message that left says of its file, as its row keeps it. */
export const sentFileSchema = z.object({
  mimeType: z.string().max(512).optional(),
  bytes: z.number().int().min(0).optional(),
  sha256: z.string().max(64).optional(),
  filename: z.string().max(512).optional(),
  width: z.number().int().min(0).optional(),
  height: z.number().int().min(0).optional(),
  seconds: z.number().int().min(0).optional(),
  pages: z.number().int().min(0).optional(),
});
export type SentFileFacts = z.infer<typeof sentFileSchema>;
