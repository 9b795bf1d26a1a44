import { expect, it } from 'vitest';
import type { ShapeName } from '../../infra/settings/shapes.ts';
import { ofType, synthesizeStage, type Resource } from '../infra/synthesizeStage.ts';
import { simulateRollingDeploy, type DeployedShape, type RollingDeployResult } from './rollingDeploy.ts';

type Case = readonly [shape: ShapeName, seed: number, stoppingCounts: boolean];

const CONNECTIONS_OF_A_SHARD = 2;
const PATIENCE_MS = 300_000;
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
  other: Partial<DeployedShape> = {},
): Promise<RollingDeployResult> {
  const deployed = { ...deployedShape(shape), ...other };
  const connections = deployed.shardCount * CONNECTIONS_OF_A_SHARD;
  return simulateRollingDeploy({ seed, shape: deployed, connections, stoppingCounts, messagesEveryMs: 1_000 });
}

export function itMovesEachSocketOnce(cases: readonly Case[]): void {
  it.each([...cases])(
    'moves each socket of the shape %s once, from an old worker to a new one, and kills nobody (seed %i, stopping tasks count: %s)',
    async (name, seed, stoppingCounts) => {
      const shape = deployedShape(name);

      const result = await deployTwice(name, seed, stoppingCounts);

      expect(result.violations).toEqual([]);
      expect(result.counts).toMatchObject({ replaced: 0, resent: 0 });
      expect(result.killed).toEqual([]);
      expect(result.longestStopMs).toBeLessThan(shape.stopTimeoutMs);
      expect(result.fewestHealthy).toBeGreaterThanOrEqual(shape.desiredCount);
      expect(result.mostRunning).toBeLessThanOrEqual(shape.desiredCount * 2);
      expect(result.owners).toEqual(Array.from({ length: shape.shardCount }, () => [1, 2]));
      expect(result.logins.filter((logins) => logins !== 1)).toEqual([]);
      expect(result.longestOwnerlessMs).toBe(0);
      expect(result.longestOfflineMs).toBeLessThan(LONGEST_OFFLINE_MS);
    },
    PATIENCE_MS,
  );
}
