import { readFileSync } from 'node:fs';
import { CURRENTLY_RECOMMENDED_FLAGS } from 'aws-cdk-lib/cx-api';
import { describe, expect, it } from 'vitest';

const { context } = JSON.parse(readFileSync(new URL('../../../cdk.json', import.meta.url), 'utf8')) as {
  readonly context: Readonly<Record<string, unknown>>;
};

/** The flags that have another value than CDK recommends, and why. */
const OTHERWISE: Readonly<Record<string, readonly [value: unknown, why: string]>> = {
  '@aws-cdk/core:defaultCrossStackReferences': ['strong', 'a stack that others use cannot be deleted under them'],
  '@aws-cdk/aws-ec2:restrictDefaultSecurityGroup': [
    false,
    'it brings a function and a role of its own, and nothing is in the default group',
  ],
};

describe('the flags of CDK in cdk.json', () => {
  it('are all set as CDK recommends, because a flag that is set later replaces what was deployed', () => {
    const expected = Object.fromEntries(
      Object.entries(CURRENTLY_RECOMMENDED_FLAGS as Readonly<Record<string, unknown>>).map(([flag, value]) => [
        flag,
        OTHERWISE[flag]?.[0] ?? value,
      ]),
    );

    expect(context).toMatchObject(expected);
  });

  it('differ from the recommendation only where a reason is given', () => {
    expect(Object.keys(OTHERWISE).filter((flag) => !(flag in CURRENTLY_RECOMMENDED_FLAGS))).toEqual([]);
  });
});
