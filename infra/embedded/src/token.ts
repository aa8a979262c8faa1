// Prints a token for the running development system: node infra/embedded/src/token.ts --account 16-digits --role provider
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { roles } from '@privatelink/shared/grpc/access';
import { defaultDataDir } from './command-line.ts';
import { loadSigningKey, mintToken } from './keys.ts';

const { values } = parseArgs({
  options: {
    account: { type: 'string', default: '' },
    role: { type: 'string', multiple: true, default: [] },
    subject: { type: 'string', default: 'developer' },
    'ttl-seconds': { type: 'string', default: '3600' },
    'data-dir': { type: 'string', default: defaultDataDir },
  },
});
const unknown = values.role.filter((role) => !roles.some((known) => known === role));
if (unknown.length > 0) {
  process.stderr.write(`unknown role ${unknown.join(', ')}: one of ${roles.join(', ')}\n`);
  process.exit(1);
}
const token = await mintToken({
  subject: values.subject,
  account: values.account,
  roles: roles.filter((role) => values.role.includes(role)),
  key: await loadSigningKey(join(values['data-dir'], 'keys', 'issuer.jwk')),
  ttlSeconds: Number(values['ttl-seconds']),
});
process.stdout.write(`${token}\n`);
