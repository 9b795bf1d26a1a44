import { describe, expect, it } from 'vitest';
import { DRAIN_MS } from '../../../functions/stream/streamServer.ts';
import { shapeNames } from '../../../infra/settings/shapes.ts';
import { apiConfig, streamConfig } from '../../../shared/platform/config.ts';
import { ACCOUNT, ofType, REGION, synthesizeOutputs, synthesizeStage } from '../synthesizeStage.ts';

const front = {
  streamDomainName: 'streams.example.com',
  streamCertificateArn: `arn:aws:acm:${REGION}:${ACCOUNT}:certificate/one`,
};
const BALANCER = 'AWS::ElasticLoadBalancingV2::LoadBalancer';
const plain = synthesizeStage({});
const served = synthesizeStage(front);

interface Container {
  readonly Environment: readonly { readonly Name: string; readonly Value: string }[];
  readonly PortMappings: readonly { readonly ContainerPort: number }[];
  readonly StopTimeout: number;
}
const task = ofType(served, 'AWS::ECS::TaskDefinition').find(
  ({ properties }) => properties['Family'] === 'test-stream',
);
const [container] = (task?.properties['ContainerDefinitions'] ?? []) as readonly Container[];

describe('the stream service of a stage', () => {
  it('is there only with a name of its own', () => {
    expect(ofType(plain, BALANCER)).toEqual([]);
    expect(ofType(served, BALANCER)).toHaveLength(1);
    expect(synthesizeOutputs(front)['test-streams']).toMatchObject({
      StreamAddress: 'https://streams.example.com/v1/events/stream',
    });
  });

  it('serves one path over TLS, and answers everything else itself', () => {
    const [listener] = ofType(served, 'AWS::ElasticLoadBalancingV2::Listener');
    const [rule] = ofType(served, 'AWS::ElasticLoadBalancingV2::ListenerRule');

    expect(ofType(served, 'AWS::ElasticLoadBalancingV2::Listener')).toHaveLength(1);
    expect(listener?.properties).toMatchObject({
      Port: 443,
      Protocol: 'HTTPS',
      Certificates: [{ CertificateArn: front.streamCertificateArn }],
      DefaultActions: [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '404' } }],
    });
    expect(rule?.properties['Conditions']).toEqual([
      { Field: 'path-pattern', PathPatternConfig: { Values: ['/v1/events/stream'] } },
      { Field: 'http-request-method', HttpRequestMethodConfig: { Values: ['GET'] } },
    ]);
  });

  it('gives its tasks what they read, the port that the balancer asks, and time to drain', () => {
    const config = streamConfig(Object.fromEntries((container?.Environment ?? []).map((one) => [one.Name, one.Value])));
    const [targets] = ofType(served, 'AWS::ElasticLoadBalancingV2::TargetGroup');

    expect(config).toMatchObject({ stage: 'test', at: { host: '0.0.0.0', port: 8_080 } });
    expect(container?.PortMappings).toMatchObject([{ ContainerPort: 8_080 }]);
    expect(targets?.properties).toMatchObject({ Port: 8_080, HealthCheckPath: '/health' });
    expect((container?.StopTimeout ?? 0) * 1_000).toBeGreaterThan(DRAIN_MS);
  });

  it('lets nobody but its balancer reach a task', () => {
    const rules = ofType(served, 'AWS::EC2::SecurityGroupIngress').filter(({ template }) =>
      template.includes('streams'),
    );

    expect(rules.map(({ properties }) => [properties['FromPort'], properties['CidrIp']])).toEqual([[8_080, undefined]]);
  });

  it('has its address where tickets are made', () => {
    const variablesOf = (resources: typeof plain) => {
      const api = ofType(resources, 'AWS::Lambda::Function').find(
        ({ properties }) => properties['FunctionName'] === 'test-api',
      );
      const environment = api?.properties['Environment'] as { readonly Variables: Record<string, string> } | undefined;
      return environment?.Variables ?? {};
    };

    expect(apiConfig(variablesOf(served)).streamUrl).toBe('https://streams.example.com');
    expect(apiConfig(variablesOf(plain)).streamUrl).toBeUndefined();
  });

  it.each(shapeNames)('grows within the range of its shape: %s', (shape) => {
    const scaled = ofType(synthesizeStage({ ...front, shape }), 'AWS::ApplicationAutoScaling::ScalableTarget').find(
      ({ template }) => template.includes('streams'),
    );

    expect(Number(scaled?.properties['MaxCapacity'])).toBeGreaterThan(Number(scaled?.properties['MinCapacity']));
  });
});
