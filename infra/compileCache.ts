/** What Node has compiled is kept from one synthesis to the next: CDK is hundreds of modules. */
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

enableCompileCache(join(import.meta.dirname, '../node_modules/.cache/node-compile'));
