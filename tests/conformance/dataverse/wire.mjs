// What the client hides: status and headers of its last answer; and the simulator's control API.

import { subscribe } from "node:diagnostics_channel";
import assert from "node:assert/strict";

let last;
const all = [];

subscribe("http.client.response.finish", ({ request, response }) => {
  last = {
    line: `${request.method} ${request.path.slice(0, 120)}`,
    status: response.statusCode,
    headers: response.headers,
    sent: request.getHeaders(),
  };
  all.push(last);
});

/** The last answer as it came over the wire. */
export const answer = () => last;

/** Every answer so far. */
export const answers = () => all;

/** The last answer must have had this status. */
export function status(expected) {
  assert.deepEqual(last?.status, expected, last?.line);
}

/** Acts on the simulator from behind: as a seller, or as the admin of the org. */
export async function act(org, verb, body = {}) {
  const reply = await fetch(`${org}/_sim/${verb}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!reply.ok) throw new Error(`control ${verb}: ${reply.status} ${await reply.text()}`);
  return reply.status === 204 ? undefined : reply.json();
}
