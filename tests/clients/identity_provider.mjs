// A provider of identities that lets everybody sign in who writes a name into its form:
// node identity_provider.mjs OPTIONS, where OPTIONS is the JSON that `options` below names.
import { createServer as plain } from "node:http";
import { createServer as encrypted } from "node:https";
import { exportJWK, generateKeyPair } from "jose";
import { Provider } from "oidc-provider";

const options = JSON.parse(process.argv[2]);
const { issuer, port, client, people, algorithm, tells_more_elsewhere, certificate, key } = options;

// Another one with each start.
const signing = await generateKeyPair(algorithm, { extractable: true });

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: client.id,
      client_secret: client.secret,
      redirect_uris: [client.redirect_uri],
      id_token_signed_response_alg: algorithm,
    },
  ],
  claims: { openid: ["sub"], profile: ["preferred_username"], groups: ["groups"] },
  conformIdTokenClaims: tells_more_elsewhere,
  cookies: { keys: ["of a test"] },
  findAccount: (_context, id) => ({
    accountId: id,
    claims: () => ({ sub: id, preferred_username: id, groups: people[id] ?? [] }),
  }),
  jwks: { keys: [{ ...(await exportJWK(signing.privateKey)), alg: algorithm, use: "sig" }] },
  pkce: { required: () => true },
});

// Its own pages ask for a font elsewhere; a test asks for nothing outside.
provider.use(async (context, next) => {
  await next();
  if (context.path === "/favicon.ico") context.status = 204;
  if (typeof context.body === "string") context.body = context.body.replace(/@import [^;]*;/g, "");
});

const server = certificate ? encrypted({ cert: certificate, key }, provider.callback()) : plain(provider.callback());
server.listen(port, "127.0.0.1");
