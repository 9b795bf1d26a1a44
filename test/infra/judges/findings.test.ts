import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, it } from 'vitest';
import { playsAll } from '../../sample.ts';
import { synthesizeStage } from '../synthesizeStage.ts';
import { stages, type StageName } from './stages.ts';

/** What has each resource that a stage can have is among them. */
const chosen: readonly StageName[] = ['small', 'everything that may be asked for'];
const judged = playsAll ? (Object.keys(stages) as StageName[]) : chosen;

/** Both sets of rules take tens of seconds of a processor to load, so all that asks them stands in this file. */
describe('cdk-nag, and the rules that CDK brings along', { timeout: 300_000 }, () => {
  it.each(judged)('have nothing to say of a stage that is not acknowledged with a reason: %s', (name) => {
    // A finding ends the synthesis.
    expect(synthesizeStage(stages[name], (app) => new AwsSolutionsChecks(app)).length).toBeGreaterThan(100);
  });
});
