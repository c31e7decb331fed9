//! Who gets an answer.
//!
//! A page from elsewhere may ask a browser to fetch from this machine, also under a
//! name of its own that leads here. So the name by which the server is called must be
//! an address or `localhost`, and a page that asks must be the server's own. The
//! token in the address keeps out other users of the machine.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::answer::Refusal;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Refuses what does not come from the server's own page or from a program, and adds
/// to each answer what keeps a browser from running or loading anything else.
pub(crate) async fn guard(request: Request, next: Next) -> Response {
    let mut response = match check(request.method(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    for (name, value) in [
        ("cross-origin-resource-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

fn check(method: &Method, headers: &HeaderMap) -> Result<(), Refusal> {
    let refuse = |reason| Err(Refusal::new(StatusCode::FORBIDDEN, reason));
    if !matches!(*method, Method::GET | Method::HEAD) {
        let reason = "it is only read: GET";
        return Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, reason));
    }
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(host) = text(header::HOST.as_str()) else {
        return refuse("the request names no host");
    };
    if headers.get_all(header::HOST).iter().count() != 1 || !is_this_machine(host) {
        return refuse("the request is for another host: use the address that the server prints");
    }
    if let Some(origin) = headers.get(header::ORIGIN)
        && *origin != format!("http://{host}")
    {
        return refuse("the request comes from a page of another origin");
    }
    match text("sec-fetch-site") {
        None | Some("same-origin" | "none") => Ok(()),
        Some(_) => refuse("the request comes from a page of another site"),
    }
}

/// Tells whether a host is an address, with or without a port, or `localhost`: any
/// other name may lead here by somebody else's will.
fn is_this_machine(host: &str) -> bool {
    let is_port = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let name = match host.rsplit_once(':') {
        Some((name, port)) if is_port(port) && (name.ends_with(']') || !name.contains(':')) => name,
        _ => host,
    };
    let inner = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'));
    name.eq_ignore_ascii_case("localhost") || inner.unwrap_or(name).parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_are_this_machine() {
        for host in [
            "127.0.0.1:8787",
            "localhost",
            "LOCALHOST:1",
            "[::1]:8787",
            "[::1]",
            "10.0.0.7:80",
        ] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in [
            "evil.example:8787",
            "localhost.evil.example",
            "127.0.0.1.evil.example:1",
            "",
            ":80",
            "127.0.0.1:x",
        ] {
            assert!(!is_this_machine(host), "{host}");
        }
    }
}
