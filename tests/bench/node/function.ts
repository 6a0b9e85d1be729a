// The ingress's job in plain TypeScript: verify Partner Center's signature, put a hint on the queue, answer.

import { X509Certificate, verify as verifySignature } from "node:crypto";
import { SQSClient, SendMessageCommand } from "@aws-sdk/client-sqs";

interface WebhookEvent {
  headers: Record<string, string>;
  body: string;
  isBase64Encoded: boolean;
}

interface Answer {
  statusCode: number;
  body?: string;
}

class NotVerified extends Error {}

const QUEUE_URL = process.env.QUEUE_URL!;
const PREFIX = process.env.CERTIFICATE_URL_PREFIXES!;
const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const ROOTS = (process.env.CERTIFICATE_ROOTS_PEM!.match(PEM) ?? []).map((pem) => new X509Certificate(pem));
const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const KINDS: Record<string, string> = { referral: "referral", "related-referral": "engagement" };

const queue = new SQSClient({});
const certificates = new Map<string, X509Certificate>();

const organisations = (name: string) =>
  name.split("\n").filter((line) => line.startsWith("O=")).map((line) => line.slice(2)).join();

function isCurrent(certificate: X509Certificate): boolean {
  const now = Date.now();
  return Date.parse(certificate.validFrom) <= now && now <= Date.parse(certificate.validTo);
}

// The leaf, valid today and under a root, issued by and for Microsoft.
function checkChain(chain: X509Certificate[]): X509Certificate {
  const leaf = chain[0];
  for (const name of [leaf.issuer, leaf.subject]) {
    if (organisations(name) !== "Microsoft Corporation") throw new NotVerified("organisation");
  }
  let current = leaf;
  for (let depth = 0; depth < 8; depth++) {
    if (!isCurrent(current)) throw new NotVerified("dates");
    const it = current;
    if (it.issuer === it.subject && ROOTS.some((root) => root.fingerprint256 === it.fingerprint256)) return leaf;
    const above = [...ROOTS, ...chain.slice(1)].find((c) => c.subject === it.issuer);
    if (!above || !it.verify(above.publicKey)) throw new NotVerified("chain");
    current = above;
  }
  throw new NotVerified("chain");
}

async function certificate(url: string): Promise<X509Certificate> {
  if (!url.startsWith(PREFIX)) throw new NotVerified("address");
  let leaf = certificates.get(url);
  if (!leaf) {
    const answer = await fetch(url, { redirect: "error", signal: AbortSignal.timeout(2000) });
    const file = Buffer.from(await answer.arrayBuffer());
    const pems = file.toString("latin1").match(PEM);
    leaf = checkChain((pems ?? [file]).map((one) => new X509Certificate(one)));
    certificates.set(url, leaf);
  }
  if (!isCurrent(leaf)) throw new NotVerified("dates");
  return leaf;
}

async function verify(headers: Record<string, string>, body: Buffer): Promise<void> {
  const signature = (headers["authorization"] ?? "").replace(/^Signature /, "");
  if (headers["x-ms-signature-algorithm"]?.toLowerCase() !== "rsa-sha256" || !signature) {
    throw new NotVerified("headers");
  }
  const leaf = await certificate(headers["x-ms-certificate-url"] ?? "");
  if (!verifySignature("RSA-SHA256", body, leaf.publicKey, Buffer.from(signature, "base64"))) {
    throw new NotVerified("signature");
  }
}

export async function handle(event: WebhookEvent): Promise<Answer> {
  const body = Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8");
  try {
    await verify(event.headers, body);
  } catch (error) {
    if (error instanceof NotVerified) return { statusCode: 401, body: "not verified" };
    throw error;
  }
  const change = JSON.parse(body.toString("utf8"));
  const name: string = change.EventName;
  const kind = KINDS[name.slice(0, name.lastIndexOf("-"))];
  if (!kind) return { statusCode: 200 };
  const referral: string = change.ResourceUri.slice(change.ResourceUri.lastIndexOf("/") + 1).toLowerCase();
  const at: string = change.ResourceChangeUtcDate;
  if (!GUID.test(referral)) return { statusCode: 400, body: "no referral" };
  await queue.send(
    new SendMessageCommand({
      QueueUrl: QUEUE_URL,
      MessageBody: JSON.stringify({ v: 1, kind, referral, from: name, at }),
      MessageGroupId: referral,
      MessageDeduplicationId: `${name}:${referral}:${at}`,
    }),
  );
  console.log(JSON.stringify({ decision: "enqueued", "referral.id": referral, event: name }));
  return { statusCode: 200 };
}
