import { expect, it } from 'vitest';
import type { ShapeName } from '../../infra/settings/shapes.ts';
import { ownershipSettings } from '../../shared/platform/ownershipConfig.ts';
import { ofType, synthesizeStage, type Resource } from '../infra/synthesizeStage.ts';
import {
  LOGINS_WITHIN_MS,
  OPENS_PER_SECOND,
  simulateRollingDeploy,
  type DeployedShape,
  type RollingDeployOptions,
  type RollingDeployResult,
} from './rollingDeploy.ts';

/** The last part replaces numbers of the shape. */
type Case = readonly [shape: ShapeName, seed: number, stoppingCounts: boolean, other: Partial<DeployedShape>];
type GivenCase = Case | readonly [ShapeName, number, boolean];
const whole = (cases: readonly GivenCase[]): Case[] =>
  cases.map(([name, seed, counts, other = {}]) => [name, seed, counts, other]);

/** Two stand for fifty; a shard of the larger shapes has eighty of the hundred that it may have. */
const CONNECTIONS_OF_A_SHARD: Readonly<Record<ShapeName, number>> = { small: 2, '10k': 3, '100k': 3 };
const EMPTY_DRAIN_MS = 5_000;
const PATIENCE_MS = 1_200_000;
const { HOLDFAST_FLEET_OPENS_PER_SECOND, HOLDFAST_OPENS_PER_SECOND } = ownershipSettings;
/** The opens of the fleet are as many times those of one worker as in production. */
const FLEET_OPENS_PER_SECOND =
  (OPENS_PER_SECOND * HOLDFAST_FLEET_OPENS_PER_SECOND.parse(undefined)) / HOLDFAST_OPENS_PER_SECOND.parse(undefined);
/** What docs/deploy.md says of a deploy. */
const LONGEST_OFFLINE_MS = 5_000;

/** The numbers of a shape as its template has them. */
export function deployedShape(shape: ShapeName): DeployedShape {
  const resources = synthesizeStage(shape === 'small' ? {} : { shape });
  const the = (type: string, isIt: (resource: Resource) => boolean = () => true): Resource['properties'] => {
    const found = ofType(resources, type).find(isIt);
    if (found === undefined) throw new Error(`The template has no such ${type}.`);
    return found.properties;
  };
  const { DeploymentConfiguration } = the('AWS::ECS::Service') as {
    readonly DeploymentConfiguration: { readonly MinimumHealthyPercent: number; readonly MaximumPercent: number };
  };
  const { ContainerDefinitions } = the('AWS::ECS::TaskDefinition', ({ properties }) =>
    String(properties['Family']).endsWith('-worker'),
  ) as {
    readonly ContainerDefinitions: readonly {
      readonly StopTimeout: number;
      readonly HealthCheck: { readonly Interval: number };
      readonly Environment: readonly { readonly Name: string; readonly Value: string }[];
    }[];
  };
  const [container] = ContainerDefinitions;
  return {
    desiredCount: Number(the('AWS::ApplicationAutoScaling::ScalableTarget')['MinCapacity']),
    minimumHealthyPercent: DeploymentConfiguration.MinimumHealthyPercent,
    maximumPercent: DeploymentConfiguration.MaximumPercent,
    stopTimeoutMs: (container?.StopTimeout ?? 0) * 1_000,
    healthIntervalMs: (container?.HealthCheck.Interval ?? 0) * 1_000,
    shardCount: Number(container?.Environment.find(({ Name }) => Name === 'HOLDFAST_SHARD_COUNT')?.Value),
  };
}

/** A stage of a shape and one deploy, with numbers that a caller may change. */
export function deployTwice(
  shape: ShapeName,
  seed: number,
  stoppingCounts: boolean,
  other: Partial<DeployedShape & Pick<RollingDeployOptions, 'protection'>> = {},
): Promise<RollingDeployResult> {
  const deployed = { ...deployedShape(shape), ...other };
  const connections = deployed.shardCount * CONNECTIONS_OF_A_SHARD[shape];
  return simulateRollingDeploy({
    seed,
    shape: deployed,
    connections,
    stoppingCounts,
    protection: other.protection ?? 'works',
    fleetOpensPerSecond: FLEET_OPENS_PER_SECOND,
    messagesEveryMs: 1_000,
  });
}

export function itMovesEachSocketOnce(cases: readonly GivenCase[]): void {
  it.each(whole(cases))(
    'moves each socket of the shape %s once, from an old worker to a new one, and kills nobody (seed %i, stopping tasks count: %s) %j',
    async (name, seed, stoppingCounts, other) => {
      const shape = { ...deployedShape(name), ...other };

      const result = await deployTwice(name, seed, stoppingCounts, other);

      expect(result.violations).toEqual([]);
      expect(result.counts).toMatchObject({ replaced: 0, resent: 0 });
      expect(result.killed).toEqual([]);
      // A task that is stopped is empty: to drain shards takes tens of seconds.
      expect(result.longestStopMs).toBeLessThan(EMPTY_DRAIN_MS);
      expect(result.fewestHealthy).toBeGreaterThanOrEqual(shape.desiredCount);
      expect(result.mostRunning).toBeLessThanOrEqual(shape.desiredCount * 2);
      expect(result.owners).toEqual(Array.from({ length: shape.shardCount }, () => [1, 2]));
      expect(result.logins.filter((logins) => logins !== 1)).toEqual([]);
      expect(result.longestOwnerlessMs).toBe(0);
      expect(result.mostLogins).toBeLessThanOrEqual((LOGINS_WITHIN_MS / 1_000) * FLEET_OPENS_PER_SECOND);
      expect(result.longestOfflineMs).toBeLessThan(LONGEST_OFFLINE_MS);
    },
    PATIENCE_MS,
  );
}

/** Tasks cannot protect themselves, so that ECS stops old ones as soon as new ones are healthy. */
export function itLosesNothingWithoutProtection(cases: readonly GivenCase[]): void {
  it.each(whole(cases))(
    'loses nothing of the shape %s where no task can be protected, and moves each socket at most twice (seed %i, stopping tasks count: %s) %j',
    async (name, seed, stoppingCounts, other) => {
      const shape = deployedShape(name);

      const result = await deployTwice(name, seed, stoppingCounts, { ...other, protection: 'fails' });

      expect(result.violations).toEqual([]);
      expect(result.counts).toMatchObject({ replaced: 0, resent: 0 });
      expect(result.killed).toEqual([]);
      // Tasks were stopped while they had shards, and drained.
      expect(result.longestStopMs).toBeGreaterThan(EMPTY_DRAIN_MS);
      expect(result.longestStopMs).toBeLessThan(shape.stopTimeoutMs);
      expect(Math.max(...result.logins)).toBeLessThanOrEqual(2);
      expect(result.mostLogins).toBeLessThanOrEqual((LOGINS_WITHIN_MS / 1_000) * FLEET_OPENS_PER_SECOND);
    },
    PATIENCE_MS,
  );
}
