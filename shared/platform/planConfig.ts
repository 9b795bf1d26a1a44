import { z } from 'zod';
import { quotaNames, quotaRows, usualQuotas, type QuotaChoices, type QuotaName, type Quotas } from './quotaRows.ts';

/** The plan of a tenant for which no other is chosen. A deployment may say what it gives. */
export const USUAL_PLAN = 'standard';
const MOST_PLANS = 20;

/** A number of a quota: a whole one, up to what its row allows. Nothing at all may be allowed, too. */
export const quotaNumbers = Object.fromEntries(
  quotaNames.map((name) => {
    const { ceiling, sentence, usual } = quotaRows[name];
    return [
      name,
      z
        .number()
        .int()
        .min(0)
        .max(ceiling)
        .meta({ description: `${sentence} Usually ${usual}.` }),
    ];
  }),
) as unknown as { readonly [Name in QuotaName]: z.ZodNumber };

/** The name of a plan. */
export const planName = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'must be lower-case letters, digits and dashes');

const choices = z.strictObject(quotaNumbers).partial();

/** The plans of a deployment, by name: what each gives that differs from what is usual. */
export type Plans = Readonly<Record<string, QuotaChoices>>;
export const plansSchema = z
  .record(planName, choices)
  .refine((plans) => Object.keys(plans).length <= MOST_PLANS, `must be ${MOST_PLANS} plans at most`);

export const planSettings = {
  /**
   * The plans of this deployment: a JSON object of plans by name, each with the quotas that differ from the usual ones, such as
   * `{"standard": {"connections": 20}}`. A tenant without a plan has the one called `standard`. No plans when left out.
   */
  HOLDFAST_PLANS: z
    .string()
    .default('{}')
    .transform((text, context): Plans => {
      const plans = plansSchema.safeParse(readJson(text));
      if (plans.success) return plans.data as Plans;
      for (const { path, message } of plans.error.issues) {
        context.addIssue({ code: 'custom', message: `${path.map(String).join('.') || 'it'}: ${message}` });
      }
      return z.NEVER;
    }),
} as const;

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What an operator has chosen for one tenant. */
export interface QuotaTerms {
  readonly plan: string | undefined;
  /** The numbers that are this tenant's own. */
  readonly own: QuotaChoices;
}

/** The quotas of a tenant: its own numbers, else those of its plan, else the usual ones. A plan that is not configured any more gives nothing. */
export function quotasOf(plans: Plans, { plan = USUAL_PLAN, own }: QuotaTerms): Quotas {
  return { ...usualQuotas, ...(Object.hasOwn(plans, plan) ? plans[plan] : {}), ...own };
}
