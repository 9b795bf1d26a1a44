import { z } from 'zod';
import { VERSION_FORMAT, VETTED_VERSION } from '../shared/fleet/whatsAppVersion.ts';
import { wholeNumber, whoAsks, type CommandLine } from './commandLine.ts';
import { callApi } from './readFleet.ts';
import { BadInput, Failed } from './sentence.ts';
import type { Target } from './target.ts';

const PATH = '/v1/admin/whatsapp-version';

/** The part of the answer that is shown here. */
const planSchema = z.object({
  version: z.string(),
  source: z.enum(['operator', 'release']),
  candidate: z.string().optional(),
  canaryPercent: z.number().optional(),
  previous: z.string().optional(),
  refused: z.array(z.string()),
  breaker: z.enum(['closed', 'open']),
  changes: z.array(z.object({ at: z.string(), by: z.string(), kind: z.string(), version: z.string() })),
});
type Plan = z.infer<typeof planSchema>;

/** Changes the client version where the command line asks for that, and shows it. Throws BadInput and Failed. */
export async function whatsAppVersion(line: CommandLine, target: Target): Promise<readonly string[]> {
  const { set, canary } = line.flags;
  const asked = [set !== undefined, line.promote, line.rollBack].filter(Boolean).length;
  if (asked > 1) throw new BadInput('Give one of --set, --promote and --roll-back.');
  if (canary !== undefined && set === undefined) throw new BadInput('--canary needs --set.');
  if (set !== undefined && !VERSION_FORMAT.test(set)) {
    throw new BadInput(`--set must be three numbers with dots, such as ${VETTED_VERSION}, not "${set}".`);
  }
  const by = whoAsks(line.flags['by']);
  const canaryPercent = wholeNumber(line, 'canary', 1, 99) ?? 100;
  if (set !== undefined) return linesOf(await call(target, 'PUT', '', { version: set, canaryPercent, by }));
  if (line.rollBack) return linesOf(await call(target, 'POST', '/roll-back', { by }));
  const plan = await call(target, 'GET', '');
  if (!line.promote) return linesOf(plan);
  if (plan.candidate === undefined) throw new Failed('There is no canary to promote.');
  return linesOf(await call(target, 'PUT', '', { version: plan.candidate, canaryPercent: 100, by }));
}

async function call(target: Target, method: string, rest: string, body?: unknown): Promise<Plan> {
  const plan = planSchema.safeParse((await callApi(target, method, `${PATH}${rest}`, body)).json);
  if (!plan.success) throw new Failed(`${target.api().url} answers, but not as Holdfast does.`);
  return plan.data;
}

function linesOf(plan: Plan): readonly string[] {
  const { version, source, candidate, canaryPercent, previous, refused, breaker, changes } = plan;
  return [
    `version   ${version} (${source === 'release' ? 'vetted in this release' : 'named by an operator'})`,
    ...(candidate === undefined ? [] : [`canary    ${candidate} for ${canaryPercent} % of the connections`]),
    ...(previous === undefined ? [] : [`previous  ${previous}`]),
    `breaker   ${breaker}${refused.length === 0 ? '' : `; WhatsApp refuses ${refused.join(', ')}`}`,
    ...changes.map(({ at, by, kind, version: changed }) => `${at}  ${kind.replace('_', ' ')} ${changed} by ${by}`),
  ];
}
