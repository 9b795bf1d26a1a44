import { ApiGatewayV2Client, GetStageCommand, UpdateStageCommand } from '@aws-sdk/client-apigatewayv2';
import { ApplicationAutoScalingClient, RegisterScalableTargetCommand } from '@aws-sdk/client-application-auto-scaling';
import { DescribeServicesCommand, ECSClient, UpdateServiceCommand } from '@aws-sdk/client-ecs';
import { awsSettings, type AwsPlace } from './awsSettings.ts';
import type { StageControls } from './suspend.ts';

/** API Gateway's name of the stage of an HTTP API that has but one. */
const API_STAGE = '$default';
/** Bursts of the API: twice its rate, as infra/stacks/apiStack.ts deploys it. */
const BURST = 2;

/** The controls of a stage through AWS's SDK. */
export function makeStageControls(place: AwsPlace): StageControls {
  const settings = awsSettings(place);
  const api = new ApiGatewayV2Client(settings);
  const scaling = new ApplicationAutoScalingClient(settings);
  const ecs = new ECSClient(settings);
  return {
    limitRequests: async (apiId, perSecond) => {
      const key = { ApiId: apiId, StageName: API_STAGE };
      // What the stage says of its routes otherwise, such as metrics, stays.
      const { DefaultRouteSettings } = await api.send(new GetStageCommand(key));
      const limit = { ThrottlingRateLimit: perSecond, ThrottlingBurstLimit: perSecond * BURST };
      await api.send(new UpdateStageCommand({ ...key, DefaultRouteSettings: { ...DefaultRouteSettings, ...limit } }));
    },
    scale: async (cluster, service, { least, most, rests }) => {
      await scaling.send(
        new RegisterScalableTargetCommand({
          ServiceNamespace: 'ecs',
          ResourceId: `service/${cluster}/${service}`,
          ScalableDimension: 'ecs:service:DesiredCount',
          MinCapacity: least,
          MaxCapacity: most,
          SuspendedState: {
            DynamicScalingInSuspended: rests,
            DynamicScalingOutSuspended: rests,
            ScheduledScalingSuspended: rests,
          },
        }),
      );
    },
    setWorkers: async (cluster, service, count) => {
      await ecs.send(new UpdateServiceCommand({ cluster, service, desiredCount: count }));
    },
    countWorkers: async (cluster, service) => {
      const { services = [] } = await ecs.send(new DescribeServicesCommand({ cluster, services: [service] }));
      const [found] = services;
      if (found === undefined) throw new Error(`ECS knows no service ${service} in the cluster ${cluster}.`);
      return (found.runningCount ?? 0) + (found.pendingCount ?? 0);
    },
  };
}
