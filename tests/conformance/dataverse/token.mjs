// The token of an application, asked for as the sign-in endpoint documents it; and what it refuses.

import { check, equal } from "./check.mjs";

async function ask(url, form) {
  const reply = await fetch(url, { method: "POST", body: new URLSearchParams(form) });
  return { status: reply.status, body: await reply.json() };
}

/** An access token for the org. */
export async function signIn(org, { "token-url": url, "client-id": id, "client-secret": secret }) {
  const form = {
    grant_type: "client_credentials",
    client_id: id,
    client_secret: secret,
    scope: `${org}/.default`,
  };
  await check("token: a wrong secret, scope, grant or application gets none", async () => {
    const cases = [
      [{ client_secret: "wrong" }, 401, "invalid_client", 7000215],
      [{ client_id: "c0de00ff-0000-4000-8000-0000000000ff" }, 400, "unauthorized_client", 700016],
      [{ scope: `${org}//.default` }, 400],
      [{ scope: `${org}/` }, 400],
      [{ grant_type: "password" }, 400],
    ];
    for (const [change, status, error, number] of cases) {
      const { status: seen, body } = await ask(url, { ...form, ...change });
      equal(seen, status, JSON.stringify(change));
      if (error) equal([body.error, body.error_codes], [error, [number]]);
      equal(body.error_description.startsWith("AADSTS"), true, body.error_description);
    }
  });
  return check("token: client credentials", async () => {
    const { status, body } = await ask(url, form);
    equal([status, body.token_type, typeof body.expires_in], [200, "Bearer", "number"]);
    equal(body.refresh_token, undefined, "there is no refresh token");
    return body.access_token;
  });
}
