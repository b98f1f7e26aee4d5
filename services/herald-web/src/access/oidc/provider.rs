//! The provider: what it says of itself, asked for when it is needed and again when its
//! keys have changed, and what it gives for the code that somebody comes back with.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use openidconnect::{
    AccessToken, AuthType, AuthenticationFlow, AuthorizationCode, Client, ClientId, ClientSecret,
    CsrfToken, EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet, IdTokenFields,
    IssuerUrl, LogoutRequest, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier,
    ProviderMetadataWithLogout, RedirectUrl, RequestTokenError, Scope, StandardErrorResponse,
    StandardTokenResponse, SubjectIdentifier, UserInfoClaims,
    core::{
        CoreAuthDisplay, CoreAuthPrompt, CoreClientAuthMethod, CoreErrorResponseType,
        CoreGenderClaim, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm, CoreResponseType, CoreRevocableToken, CoreRevocationErrorResponse,
        CoreTokenIntrospectionResponse, CoreTokenType,
    },
};
use serde_json::Value;
use tokio::{sync::Semaphore, time::sleep};
use tracing::{debug, info, warn};
use url::Url;

use super::{
    OidcError, OidcSettings, address,
    claims::{OtherClaims, is_complete},
    flow::Flow,
    http::{Http, HttpError},
    token::{self, Trust},
};

/// How long what the provider says of itself holds.
const RENEWAL: Duration = Duration::from_secs(3_600);
/// Between two attempts, however many ask for one.
const PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How many may come back at a time.
const AT_A_TIME: usize = 32;

type Answer = StandardTokenResponse<
    IdTokenFields<
        OtherClaims,
        EmptyExtraTokenFields,
        CoreGenderClaim,
        CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    >,
    CoreTokenType,
>;
type Asking = Client<
    OtherClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Answer,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;
type Metadata = ProviderMetadataWithLogout;

/// The provider as far as it is known.
pub(super) struct Provider {
    settings: Arc<OidcSettings>,
    http: Http,
    known: Mutex<Option<Arc<Metadata>>>,
    /// Held while it is asked about itself: when that failed last.
    asking: tokio::sync::Mutex<Option<Instant>>,
    is_away_told: AtomicBool,
    places: Semaphore,
}

impl Provider {
    pub(super) fn new(settings: Arc<OidcSettings>, http: Http) -> Self {
        Self {
            settings,
            http,
            known: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
            is_away_told: AtomicBool::new(false),
            places: Semaphore::new(AT_A_TIME),
        }
    }

    /// What it has said of itself, if it has.
    pub(super) fn known(&self) -> Option<Arc<Metadata>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.clone()
    }

    /// Keeps asking, for as long as it is polled.
    pub(super) async fn follow(&self) {
        let mut pause = PAUSE;
        loop {
            match self.metadata().await {
                Ok(known) => {
                    pause = PAUSE;
                    sleep(RENEWAL).await;
                    // Should it be away now, what was known holds.
                    let _ = self.renew(&known).await;
                }
                Err(_) => {
                    sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// What it says of itself, asked for unless that is known.
    async fn metadata(&self) -> Result<Arc<Metadata>, OidcError> {
        if let Some(known) = self.known() {
            return Ok(known);
        }
        let mut failed = self.asking.lock().await;
        if let Some(known) = self.known() {
            return Ok(known);
        }
        if failed.is_some_and(|at| at.elapsed() < PAUSE) {
            return Err(OidcError::Away);
        }
        let found = self.discover().await;
        *failed = found.is_err().then(Instant::now);
        found
    }

    /// The same where what was known may hold no longer.
    async fn renew(&self, former: &Arc<Metadata>) -> Result<Arc<Metadata>, OidcError> {
        let _asking = self.asking.lock().await;
        match self.known() {
            Some(known) if !Arc::ptr_eq(&known, former) => Ok(known),
            _ => self.discover().await,
        }
    }

    async fn discover(&self) -> Result<Arc<Metadata>, OidcError> {
        let issuer = IssuerUrl::new(self.settings.issuer.clone());
        let issuer = issuer.expect("it was read as a URL");
        let found = match Metadata::discover_async(issuer, &self.http).await {
            Ok(found) => found,
            Err(failure) => {
                let error = &failure as &dyn std::error::Error;
                if !self.is_away_told.swap(true, Ordering::Relaxed) {
                    warn!(error, "provider of identities does not tell of itself");
                }
                return Err(OidcError::Away);
            }
        };
        let place = found.authorization_endpoint().as_str();
        if address::check(place, self.settings.is_plain_allowed).is_err() {
            warn!("provider of identities would let people sign in without encryption");
            return Err(OidcError::Away);
        }
        if self.is_away_told.swap(false, Ordering::Relaxed) {
            info!("provider of identities tells of itself");
        }
        let found = Arc::new(found);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some(Arc::clone(&found));
        Ok(found)
    }

    /// Where somebody signs in.
    pub(super) async fn sign_in_url(&self, flow: &Flow) -> Result<Url, OidcError> {
        let client = self.client(&*self.metadata().await?);
        let verifier = PkceCodeVerifier::new(flow.verifier.clone());
        let (state, nonce) = (flow.state.clone(), flow.nonce.clone());
        let scopes = self.settings.scopes.iter();
        // The library adds this one by itself.
        let scopes = scopes.filter(|scope| *scope != "openid");
        let (url, ..) = client
            .authorize_url(
                AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
                || CsrfToken::new(state),
                || Nonce::new(nonce),
            )
            .add_scopes(scopes.map(|scope| Scope::new(scope.clone())))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .url();
        Ok(url)
    }

    /// Where somebody signs out there, if the provider has that.
    pub(super) fn sign_out_url(&self) -> Option<Url> {
        let known = self.known()?;
        let place = known.additional_metadata().end_session_endpoint.clone()?;
        address::check(place.as_str(), self.settings.is_plain_allowed).ok()?;
        let request = LogoutRequest::from(place).set_client_id(self.client_id());
        Some(request.http_get_url())
    }

    /// What the provider says of who came back with a code.
    ///
    /// # Errors
    /// It says nothing, or nothing that can be believed.
    pub(super) async fn claims(&self, code: String, flow: &Flow) -> Result<Value, OidcError> {
        let _place = self.places.try_acquire().map_err(|_| OidcError::Busy)?;
        let metadata = self.metadata().await?;
        let client = self.client(&metadata);
        let request = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|_| OidcError::Unbelievable)?
            .set_pkce_verifier(PkceCodeVerifier::new(flow.verifier.clone()));
        let answer = request.request_async(&self.http).await;
        let answer = answer.map_err(|failure| refused(&failure))?;
        let claims = self.believed(&metadata, &answer, &flow.nonce).await?;
        match is_complete(&claims, &self.settings) {
            true => Ok(claims),
            false => self.with_more(claims, &client, answer.access_token()).await,
        }
    }

    /// The claims of the ID token; held against the provider's newest keys before it is
    /// not believed.
    async fn believed(
        &self,
        metadata: &Arc<Metadata>,
        answer: &Answer,
        nonce: &str,
    ) -> Result<Value, OidcError> {
        let token = answer.extra_fields().id_token();
        let token = token.ok_or_else(|| unbelievable(&"there is no ID token"))?;
        let trust = |metadata: &Metadata| Trust {
            client_id: self.client_id(),
            issuer: metadata.issuer().clone(),
            keys: metadata.jwks().clone(),
        };
        let claims = |trust: &Trust| trust.claims(token, answer.access_token(), nonce);
        let outcome = match claims(&trust(metadata)) {
            Err(failure) if token::may_be_a_newer_key(&failure) => {
                debug!("a key that is not known yet: the provider is asked for its keys");
                let newest = self.renew(metadata).await?;
                claims(&trust(&newest))
            }
            outcome => outcome,
        };
        outcome.map_err(|failure| unbelievable(&failure))
    }

    /// With what the provider says elsewhere of the same person; what the token has
    /// said counts for more.
    async fn with_more(
        &self,
        mut claims: Value,
        client: &Asking,
        token: &AccessToken,
    ) -> Result<Value, OidcError> {
        let subject = claims["sub"].as_str().unwrap_or_default().to_owned();
        let subject = SubjectIdentifier::new(subject);
        let Ok(request) = client.user_info(token.clone(), Some(subject)) else {
            return Ok(claims);
        };
        let more = request.request_async(&self.http).await;
        let more: UserInfoClaims<OtherClaims, CoreGenderClaim> =
            more.map_err(|failure| unbelievable(&failure))?;
        let more = serde_json::to_value(more).map_err(|failure| unbelievable(&failure))?;
        if let (Value::Object(claims), Value::Object(more)) = (&mut claims, more) {
            for (name, value) in more {
                claims.entry(name).or_insert(value);
            }
        }
        Ok(claims)
    }

    fn client_id(&self) -> ClientId {
        ClientId::new(self.settings.client_id.clone())
    }

    fn client(&self, metadata: &Metadata) -> Asking {
        let secret = self.settings.client_secret.as_ref();
        let secret = secret.map(|secret| ClientSecret::new(secret.reveal().to_owned()));
        let back = RedirectUrl::from_url(self.settings.redirect_url());
        Client::from_provider_metadata(metadata.clone(), self.client_id(), secret)
            .set_redirect_uri(back)
            .set_auth_type(auth_type(metadata))
    }
}

/// How the provider takes the secret: in the header, unless it says that it does not.
fn auth_type(metadata: &Metadata) -> AuthType {
    let methods = metadata.token_endpoint_auth_methods_supported();
    let takes = |method| methods.is_none_or(|methods| methods.contains(&method));
    match takes(CoreClientAuthMethod::ClientSecretBasic) {
        true => AuthType::BasicAuth,
        false => AuthType::RequestBody,
    }
}

/// The provider has not given anything for a code. What it says of that is for
/// herald-web's own log.
fn refused(
    failure: &RequestTokenError<HttpError, StandardErrorResponse<CoreErrorResponseType>>,
) -> OidcError {
    match failure {
        RequestTokenError::ServerResponse(answer) => {
            let code = answer.error().to_string();
            warn!(code, "provider of identities gives nothing for a code");
            OidcError::refused(&code)
        }
        RequestTokenError::Request(failure) => {
            let error = failure as &dyn std::error::Error;
            warn!(error, "provider of identities does not answer");
            OidcError::Away
        }
        failure => unbelievable(failure),
    }
}

fn unbelievable(problem: &impl std::fmt::Display) -> OidcError {
    warn!(%problem, "provider of identities is not believed");
    OidcError::Unbelievable
}
