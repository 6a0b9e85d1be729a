// Asks Lambda's Runtime API for events, as a custom runtime does.

import { Agent, request } from "node:http";
import { handle } from "./function";

const api = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation`;
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

function call(method: string, path: string, body?: string): Promise<{ id: string; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(`${api}${path}`, { method, agent }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk) => chunks.push(chunk));
      answer.on("end", () =>
        resolve({
          id: String(answer.headers["lambda-runtime-aws-request-id"]),
          text: Buffer.concat(chunks).toString("utf8"),
        }),
      );
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

async function main(): Promise<void> {
  for (;;) {
    const { id, text } = await call("GET", "/next");
    const answer = await handle(JSON.parse(text));
    await call("POST", `/${id}/response`, JSON.stringify(answer));
  }
}

void main();
