import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { shapeNames } from '../../../infra/settings/shapes.ts';
import { synthesizeStage, type Resource } from '../synthesizeStage.ts';

/** A synthesis takes seconds, and more while other tests run. */
const SYNTHESIS_MS = 120_000;

/**
 * What each shape deploys, one line for each resource with a mark of its properties, so that a change of the code shows
 * which resources it changes. The code of functions is left out, and of command queues, which are alike, the first of
 * each stack stands for all. `npx vitest run test/infra/stacks/snapshots.test.ts -u` writes them anew.
 */
describe('what the shapes deploy', { timeout: SYNTHESIS_MS }, () => {
  it.each(shapeNames)('%s is as it is kept in the repository', async (shape) => {
    const lines = alike(synthesizeStage(shape === 'small' ? {} : { shape })).map(toText);

    await expect(`${lines.toSorted().join('\n')}\n`).toMatchFileSnapshot(
      join(import.meta.dirname, `snapshots/${shape}.txt`),
    );
  });
});

/** Command queues of one nested stack differ by their names alone. */
function alike(resources: readonly Resource[]): readonly Resource[] {
  const seen = new Set<string>();
  return resources.filter(({ template, type }) => {
    const isQueue = template.includes('nested') && type === 'AWS::SQS::Queue';
    if (!isQueue) return true;
    const isFirst = !seen.has(template);
    seen.add(template);
    return isFirst;
  });
}

function toText({ template, id, type, properties }: Resource): string {
  // The id of a version and the place of the code change with every change of a function's code.
  const { Code: _, ...rest } = properties;
  const stable = JSON.stringify(rest).replaceAll(/(CurrentVersion[0-9A-F]{8})[0-9a-f]{32}/g, '$1');
  const mark = createHash('sha256').update(stable).digest('hex').slice(0, 8);
  const stack = template.replace('.template.json', '').replace(/[0-9A-F]{8}\.nested$/, '');
  return `${stack}  ${type}  ${id.replace(/(CurrentVersion[0-9A-F]{8})[0-9a-f]{32}/, '$1')}  ${mark}`;
}
