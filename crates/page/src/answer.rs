//! Answers, and refusals with their reasons.

use std::io::Write;

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use query::sanitise;
use serde::Serialize;

/// Why there is no answer.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    reason: String,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self { status, reason }
    }

    pub(crate) fn wrong(reason: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, reason)
    }
}

impl From<query::Error> for Refusal {
    fn from(error: query::Error) -> Self {
        let status = match error {
            query::Error::Pattern { .. } => StatusCode::BAD_REQUEST,
            query::Error::NoDirectory { .. } | query::Error::NoSession { .. } => {
                StatusCode::NOT_FOUND
            }
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Reason<'a> {
            error: &'a str,
        }
        let reason = sanitise(&self.reason);
        let mut response = json(&Reason { error: &reason });
        *response.status_mut() = self.status;
        response
    }
}

/// Answers with a value as JSON, in which nothing acts on a terminal.
pub(crate) fn json(value: &impl Serialize) -> Response {
    match serde_json::to_string(value) {
        Ok(text) => with_kind(&text),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

fn with_kind(text: &str) -> Response {
    let mut bytes = Vec::with_capacity(text.len() + 1);
    // Memory has no errors.
    let _written = writeln!(bytes, "{}", sanitise(text));
    let kind = (header::CONTENT_TYPE, "application/json");
    ([kind], Body::from(bytes)).into_response()
}
