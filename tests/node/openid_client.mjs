// An app on openid-client, with its browser elsewhere: it prints where the browser must go and
// reads where the browser came back. At the end it prints what it was given.
import { createInterface } from 'node:readline/promises'
import * as client from 'openid-client'

const [issuer, method, alg] = process.argv.slice(2)
const redirect_uri = 'https://rp.test/callback'
const over = { execute: [client.allowInsecureRequests] }
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()

const say = (what) => console.log(JSON.stringify(what))
const hear = async () => new URL((await lines.next()).value)

const metadata = {
  client_name: 'Reader',
  redirect_uris: [redirect_uri],
  post_logout_redirect_uris: ['https://rp.test/'],
  grant_types: ['authorization_code', 'refresh_token'],
  token_endpoint_auth_method: method,
  id_token_signed_response_alg: alg,
  userinfo_signed_response_alg: alg,
}
let authentication
if (method === 'client_secret_basic') authentication = client.ClientSecretBasic()
if (method === 'none') authentication = client.None()
if (method === 'private_key_jwt') {
  const pair = await client.randomDPoPKeyPair('ES256', { extractable: true })
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', pair.publicKey)
  metadata.jwks = { keys: [{ kty, crv, x, y, alg: 'ES256', use: 'sig', kid: 'one' }] }
  metadata.token_endpoint_auth_signing_alg = 'ES256'
  authentication = client.PrivateKeyJwt({ key: pair.privateKey, kid: 'one' })
}
const config = await client.dynamicClientRegistration(
  new URL(issuer), metadata, authentication, over)

const verifier = client.randomPKCECodeVerifier()
const nonce = client.randomNonce()
const state = client.randomState()
const scope = 'openid email offline_access'
say({
  authorize: client.buildAuthorizationUrl(config, {
    redirect_uri, scope, state, nonce, prompt: 'consent', code_challenge_method: 'S256',
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
  }).href,
})
const tokens = await client.authorizationCodeGrant(config, await hear(), {
  pkceCodeVerifier: verifier, expectedNonce: nonce, expectedState: state, idTokenExpected: true,
})
const { sub, sid } = tokens.claims()
const userinfo = await client.fetchUserInfo(config, tokens.access_token, sub)
const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token)
const after = await client.fetchUserInfo(config, refreshed.access_token, sub)
const active = method === 'none' ||
  (await client.tokenIntrospection(config, refreshed.refresh_token)).active
await client.tokenRevocation(config, refreshed.refresh_token)
const refusal = await client.refreshTokenGrant(config, refreshed.refresh_token)
  .then(() => 'none', (error) => error.error)
say({
  logout: client.buildEndSessionUrl(config, {
    id_token_hint: refreshed.id_token ?? tokens.id_token,
    post_logout_redirect_uri: 'https://rp.test/', state,
  }).href,
})
const back = await hear()
say({
  sub, sid, email: userinfo.email, again: after.sub, active, refusal, rotated:
    refreshed.refresh_token !== tokens.refresh_token,
  state: back.searchParams.get('state') === state,
})
process.exit(0)
