//! What an HTTP request (an upgrade to WebSocket included) must pass before anything reads its body: host, origin,
//! proxy, rate. Answers `/health` itself.

use std::{net::IpAddr, sync::Arc, time::Duration};

use jsonrpsee::{
    core::BoxError,
    server::{HttpBody, HttpRequest, HttpResponse},
};
use serde_json::json;

use super::{
    config::{Origins, ServerConfig},
    throttle::Meter,
};
use crate::{Backend, params::NoParams};

/// A status code with a text for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) reason: String,
    pub(super) retry_after_seconds: Option<u64>,
}

impl Refusal {
    fn new(status: u16, reason: impl Into<String>) -> Self {
        Self { status, reason: reason.into(), retry_after_seconds: None }
    }

    /// A request that took longer than `deadline`.
    pub(super) fn late(deadline: Duration) -> Self {
        Self::new(
            408,
            format!("the request was not complete or not answered within {} s", deadline.as_secs()),
        )
    }

    /// A defect below.
    pub(super) fn failed(error: &BoxError) -> Self {
        Self::new(500, error.to_string())
    }

    /// As an HTTP answer.
    pub(super) fn response(&self) -> HttpResponse {
        let mut response = answer(self.status, "text/plain; charset=utf-8", format!("{}\n", self.reason));
        if let Some(seconds) = self.retry_after_seconds {
            response.headers_mut().insert("retry-after", seconds.into());
        }
        response
    }
}

fn answer(status: u16, kind: &str, body: String) -> HttpResponse {
    let built = HttpResponse::<()>::builder().status(status).header("content-type", kind);
    // Cannot fail: status and kind are constants of this file within HTTP's ranges.
    built.body(HttpBody::from(body)).unwrap_or_default()
}

/// The rules of one server.
pub(super) struct Gate {
    origins: Origins,
    /// Names by which it may be addressed; `None` for any.
    hosts: Option<Vec<String>>,
    /// Whether a forwarded request is refused: on loopback it would pass for a local one.
    refuse_proxies: bool,
    meter: Option<Arc<Meter>>,
}

/// Host name or address without its port and without the brackets of IPv6.
fn host_of(authority: &str) -> &str {
    if let Some(rest) = authority.strip_prefix('[') {
        return rest.split_once(']').map_or(rest, |(host, _)| host);
    }
    authority.rsplit_once(':').map_or(authority, |(host, _)| host)
}

fn is_local(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// The address or name in an origin such as `https://wallet.example:8443`.
fn host_of_origin(origin: &str) -> Option<&str> {
    origin.split_once("://").map(|(_, authority)| host_of(authority))
}

impl Gate {
    pub(super) fn new(config: &ServerConfig, loopback: bool, meter: Option<Arc<Meter>>) -> Self {
        let hosts = config.hosts.clone().or_else(|| loopback.then(Vec::new));
        let refuse_proxies = loopback && config.methods == super::MethodAccess::Auto;
        Self { origins: config.origins.clone(), hosts, refuse_proxies, meter }
    }

    pub(super) fn origin_allowed(&self, origin: &str) -> bool {
        match &self.origins {
            Origins::Any => true,
            Origins::Local => host_of_origin(origin).is_some_and(is_local),
            Origins::List(list) => list.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin)),
        }
    }

    fn host_allowed(&self, host: &str) -> bool {
        let Some(hosts) = &self.hosts else { return true };
        is_local(host)
            || host.parse::<IpAddr>().is_ok()
            || hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(host))
    }

    /// Whether a request with these headers from this address may go on.
    pub(super) fn check<B>(&self, request: &HttpRequest<B>, address: IpAddr) -> Result<(), Refusal> {
        let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap_or(""));
        let authority = header("host").or_else(|| request.uri().host()).unwrap_or("");
        let host = host_of(authority);
        if !self.host_allowed(host) {
            let reason =
                format!("this server is not called {host:?}; use its address, or name it in --rpc-hosts");
            return Err(Refusal::new(403, reason));
        }
        if let Some(origin) = header("origin")
            && !self.origin_allowed(origin)
        {
            let reason = format!("pages of {origin:?} may not use this server; name them in --rpc-cors");
            return Err(Refusal::new(403, reason));
        }
        if self.refuse_proxies
            && ["forwarded", "x-forwarded-for", "x-real-ip"].iter().any(|name| header(name).is_some())
        {
            let reason = "a proxy forwards to this loopback server, which answers unsafe methods to whom it takes \
                for local; start the node with --rpc-methods safe, or unsafe if the proxy lets nobody else in";
            return Err(Refusal::new(403, reason));
        }
        if let Some(meter) = &self.meter
            && let Err(seconds) = meter.take(address, 0)
        {
            let reason = format!("{address} calls too fast; wait {seconds} s");
            return Err(Refusal { retry_after_seconds: Some(seconds), ..Refusal::new(429, reason) });
        }
        Ok(())
    }
}

/// The answer to `GET /health…`; `None` for every other request.
///
/// `/health` and `/health/readiness` are 200 if the node does its work and 503 with the reason if not;
/// `/health/liveness` is 200 as long as anything answers.
pub(super) fn health<B>(backend: &impl Backend, request: &HttpRequest<B>) -> Option<HttpResponse> {
    if request.method() != "GET" {
        return None;
    }
    match request.uri().path() {
        "/health/liveness" => Some(answer(200, "application/json", json!({ "alive": true }).to_string())),
        "/health" | "/health/readiness" => {
            let (status, body) = match backend.system_health(NoParams {}) {
                Ok(health) => (if health.ready { 200 } else { 503 }, serde_json::to_string(&health)),
                Err(error) => {
                    (503, serde_json::to_string(&json!({ "ready": false, "reason": error.message })))
                }
            };
            Some(answer(status, "application/json", body.unwrap_or_default()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MethodAccess;

    fn gate(change: impl FnOnce(&mut ServerConfig)) -> Gate {
        let mut config = ServerConfig::at("127.0.0.1:0".parse().unwrap());
        change(&mut config);
        Gate::new(&config, true, None)
    }

    fn check(gate: &Gate, headers: &[(&str, &str)]) -> Option<u16> {
        let mut request = HttpRequest::<()>::builder();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let address = IpAddr::from([127, 0, 0, 1]);
        gate.check(&request.body(()).unwrap(), address).err().map(|refusal| refusal.status)
    }

    #[test]
    fn a_name_that_was_made_to_point_here_is_refused() {
        let gate = gate(|_| ());
        for host in ["localhost", "localhost:9944", "127.0.0.1:9944", "[::1]:9944", "192.168.0.2"] {
            assert_eq!(check(&gate, &[("host", host)]), None, "{host}");
        }
        for host in
            ["evil.example", "evil.example:9944", "localhost.evil.example", "127.0.0.1.evil.example", ""]
        {
            assert_eq!(check(&gate, &[("host", host)]), Some(403), "{host}");
        }
        let named = self::gate(|config| config.hosts = Some(vec!["node.example".into()]));
        assert_eq!(check(&named, &[("host", "Node.Example:9944")]), None);
    }

    #[test]
    fn a_page_from_elsewhere_is_refused_also_over_websocket() {
        let local = gate(|_| ());
        let host = ("host", "localhost");
        assert_eq!(check(&local, &[host, ("origin", "http://localhost:3000")]), None);
        assert_eq!(check(&local, &[host, ("origin", "https://evil.example")]), Some(403));
        assert_eq!(check(&local, &[host, ("origin", "http://localhost.evil.example")]), Some(403));
        assert_eq!(check(&local, &[host, ("origin", "null")]), Some(403));
        let listed = gate(|config| config.origins = Origins::List(vec!["https://wallet.example".into()]));
        assert_eq!(check(&listed, &[host, ("origin", "https://wallet.example")]), None);
        assert_eq!(check(&listed, &[host, ("origin", "http://wallet.example")]), Some(403));
    }

    #[test]
    fn a_forwarded_request_does_not_pass_for_a_local_one() {
        let headers = [("host", "localhost"), ("x-forwarded-for", "203.0.113.9")];
        assert_eq!(check(&gate(|_| ()), &headers), Some(403));
        assert_eq!(check(&gate(|config| config.methods = MethodAccess::Safe), &headers), None);
    }
}
