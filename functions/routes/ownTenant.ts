import { z } from 'zod';
import { keptDaysSchema } from '../../shared/media/fileKeeping.ts';
import type { TenantFiles } from '../../shared/media/keptBytes.ts';
import type { TenantId } from '../../shared/kernel/id.ts';
import { route, type Route } from '../http/route.ts';

export interface OwnTenantDependencies {
  readonly tenantFiles: TenantFiles;
}

const viewSchema = z
  .object({
    id: z.string(),
    fileDays: keptDaysSchema,
    files: z
      .object({ count: z.number().int(), bytes: z.number().int() })
      .meta({ description: 'What is kept now: a file with the same bytes once, however many messages bring it.' }),
  })
  .meta({ id: 'OwnTenant' });
const example = {
  id: 'tnt_01K3C5F7XQ4T6V8X0Z2B4D6F8H',
  fileDays: 90,
  files: { count: 1_204, bytes: 361_200_000 },
} as const;

/** The routes by which a tenant reads and changes what holds for all its connections. */
export function ownTenantRoutes({ tenantFiles }: OwnTenantDependencies): readonly Route[] {
  const view = async (tenantId: TenantId): Promise<z.infer<typeof viewSchema>> => {
    const [fileDays, { files: count, bytes }] = await Promise.all([
      tenantFiles.keptDays(tenantId),
      tenantFiles.keptBytes(tenantId),
    ]);
    return { id: tenantId, fileDays, files: { count, bytes } };
  };
  return [
    route('GET', '/v1/tenant', {
      summary: 'Read how long your files are kept, and how much is kept now',
      description: 'What is made of files to send them, for two weeks at most, is not counted.',
      answers: { status: 200, schema: viewSchema, example },
      handle: async ({ tenantId }) => ({ status: 200, json: await view(tenantId) }),
    }),
    route('PATCH', '/v1/tenant', {
      summary: 'Choose how long your files are kept',
      description: 'It holds for files that come or are brought from then on; those that are here keep their time.',
      body: z.strictObject({ fileDays: keptDaysSchema }).meta({ id: 'TenantChange', example: { fileDays: 30 } }),
      answers: { status: 200, schema: viewSchema, example: { ...example, fileDays: 30 } },
      handle: async ({ tenantId, body }) => {
        await tenantFiles.chooseKeptDays(tenantId, body.fileDays);
        return { status: 200, json: await view(tenantId) };
      },
    }),
  ];
}
