import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Client, credentials, status } from '@grpc/grpc-js';
import { defaultPorts } from '@privatelink/embedded/ports';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { hasPrometheus, type Prometheus, promtool, startPrometheus } from '../support/prometheus.ts';
import { createEndpoint, endpointRequest, publishService, registerNetwork } from '../support/scenario.ts';
import { useStage } from '../support/stage.ts';
import { CALL, requestId } from '../support/world.ts';

const directory = fileURLToPath(new URL('../../infra/grafana/', import.meta.url));
const dashboardSchema = z.object({
  panels: z.array(
    z.object({
      id: z.number(),
      title: z.string(),
      gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
      targets: z.array(z.object({ expr: z.string() })).min(1),
    }),
  ),
});
const dashboards = readdirSync(directory)
  .filter((name) => name.endsWith('.json'))
  .map((name) => ({ name, ...dashboardSchema.parse(JSON.parse(readFileSync(`${directory}${name}`, 'utf8'))) }));
const panels = dashboards.flatMap(({ name, panels: all }) => all.map((panel) => ({ name, ...panel })));

describe('the dashboards', () => {
  it.each(dashboards)('$name has panels that do not lie upon each other, each with a number of its own', (one) => {
    expect(new Set(one.panels.map(({ id }) => id)).size).toBe(one.panels.length);
    const cells = one.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(Math.max(...one.panels.map(({ gridPos: { x, w } }) => x + w))).toBeLessThanOrEqual(24);
  });
});

describe.skipIf(!hasPrometheus)('Prometheus (the Debian package prometheus)', () => {
  it('takes the configuration and the rules, which alert when they should and not else', async () => {
    expect(await promtool('check', 'config', `${directory}prometheus.yaml`)).toContain('SUCCESS');
    await promtool('test', 'rules', `${directory}alerts.test.yaml`);
  });
});

describe('what the processes measure', () => {
  const stage = useStage(async () => ({ forwarding: 'loopback', dashboard: true }));
  const scrape = async (name: string): Promise<string> => {
    const { address } = stage().run.metrics.find((one) => one.name === name) ?? expect.fail(`no ${name}`);
    const response = await fetch(`http://${address}/metrics`);
    expect(response.headers.get('content-type')).toMatch(/^application\/openmetrics-text; version=1.0.0/);
    return response.text();
  };
  const secrets: string[] = [];

  beforeAll(async () => {
    const { log, cast, follow, lookup } = stage();
    const { provider, consumer } = await cast();
    const service = await publishService(provider, log, { autoAccept: true, users: [consumer.account] });
    const network = await registerNetwork(consumer);
    const { endpointId } = await createEndpoint(consumer, endpointRequest(service, network));
    const connection = follow(consumer, endpointId);
    await connection.reaches('CONNECTED');
    await provider.broker.rejectConnection({ requestId: requestId(), connectionId: endpointId, message: '' }, CALL);
    await connection.reaches('DISCONNECTED');
    await lookup(`${endpointId}.${service.serviceId}.cn-hangzhou.privatelink.internal`);
    await expect(provider.broker.getConnection({ connectionId: 'ep-unknown' }, CALL)).rejects.toThrow();
    const [url] = stage().run.dashboard.urls;
    expect((await fetch(`${url}/api/connections?q=${endpointId}`)).status).toBe(401);
    secrets.push(endpointId, service.serviceId, network.vpcId, provider.account, consumer.account);
  });

  it('is given in OpenMetrics by each of them, without an id of anything or anybody', async () => {
    const { metrics } = stage().run;
    expect(metrics.map(({ name }) => name)).toEqual([
      ...['provider-1', 'consumer-1', 'broker-1', 'dns-1'],
      ...['data-plane-cn-hangzhou-g-1', 'data-plane-cn-hangzhou-h-1', 'data-plane-cn-hangzhou-i-1'],
      ...['data-plane-cn-shanghai-a-1', 'data-plane-cn-shanghai-b-1', 'ops-1'],
    ]);
    const first = defaultPorts.metrics;
    const known = readFileSync(`${directory}prometheus.yaml`, 'utf8').match(/127\.0\.0\.1:\d+/g);
    expect(known).toEqual(metrics.map((_, index) => `127.0.0.1:${first + index}`));
    for (const { name } of metrics) {
      const text = await scrape(name);
      expect(text).toMatch(/\n# EOF\n$/);
      for (const secret of secrets) expect(text).not.toContain(secret);
    }
  });

  it('counts what happened: each status change once', async () => {
    const text = await scrape('broker-1');
    const changes = text.split('\n').filter((line) => line.startsWith('privatelink_status_changes_total'));
    const moves = ['"",to="CONNECTING"', '"CONNECTING",to="CONNECTED"', '"CONNECTED",to="DISCONNECTING"'];
    for (const move of [...moves, '"DISCONNECTING",to="DISCONNECTED"']) {
      expect(changes).toContain(`privatelink_status_changes_total{category="connection",from=${move}} 1`);
    }
    expect(text).toContain('privatelink_rows{read_model="connections",status="DISCONNECTED"} 1');
    expect(await scrape('dns-1')).toMatch(
      /privatelink_dns_queries_total\{transport="udp",type="A",code="NOERROR"\} 1\n/,
    );
  });

  it('names no method that a caller made up', async () => {
    const client = new Client(stage().run.grpc.broker[0] ?? '', credentials.createInsecure());
    const answered = Promise.withResolvers<number>();
    const keep = (bytes: Buffer): Buffer => bytes;
    const path = '/privatelink.made.v1.Up/Method';
    client.makeUnaryRequest(path, keep, keep, Buffer.alloc(0), (error) => answered.resolve(error?.code ?? status.OK));
    expect(await answered.promise).toBe(status.UNIMPLEMENTED);
    client.close();
    expect(await scrape('broker-1')).not.toContain('made.v1');
  });

  describe.skipIf(!hasPrometheus)('and Prometheus', () => {
    let prometheus: Prometheus;
    beforeAll(async () => {
      prometheus = await startPrometheus(stage().run, `${directory}alerts.yaml`);
      await vi.waitFor(async () => expect(await prometheus.count('up == 1')).toBe(stage().run.metrics.length), {
        timeout: 20_000,
      });
    }, 60_000);
    afterAll(() => prometheus?.stop());

    it.each(panels)('has something to show in $name: $title', async ({ targets }) => {
      for (const { expr } of targets) {
        // A rate needs two looks.
        const query = expr.replaceAll('$__rate_interval', '30s');
        await vi.waitFor(async () => expect(await prometheus.count(query), query).toBeGreaterThan(0), {
          timeout: 20_000,
        });
      }
    });
  });
});
