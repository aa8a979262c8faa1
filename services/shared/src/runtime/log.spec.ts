import { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { createLog } from './log.ts';

it('keeps secrets out of the log', () => {
  let written = '';
  const destination = new Writable({
    write: (chunk, _, done) => {
      written += chunk;
      done();
    },
  });
  const log = createLog({ service: 'provider', instance: 'provider-1', level: 'info' }, destination);
  log.debug('not at this level');
  const config = { postgres: 'postgres://user:pass@db:5432/privatelink?password=pass', token: 'eyJ', region: 'r' };
  log.info({ config, authorization: 'Bearer eyJ', nats: 'nats://user:pass@bus:4222' }, 'configured');
  expect(JSON.parse(written)).toMatchObject({
    level: 'info',
    service: 'provider',
    instance: 'provider-1',
    config: { postgres: 'postgres://db:5432/privatelink', token: '[redacted]', region: 'r' },
    authorization: '[redacted]',
    nats: 'nats://bus:4222',
    msg: 'configured',
  });
  expect(written).not.toContain('pass@');
});
