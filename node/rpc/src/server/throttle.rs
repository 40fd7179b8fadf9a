//! Charges every call, in whatever transport or batch it comes, to the address that makes it.

use std::{future::Future, net::IpAddr, sync::Arc, time::Instant};

use futures::future::Either;
use jsonrpsee::{
    core::middleware::{Batch, Notification, RpcServiceT},
    server::MethodResponse,
    types::{ErrorObjectOwned, Id, Request},
};
use serde_json::json;

use super::rate::RateLimit;
use crate::RpcError;

/// The rate limit with the moment from which it counts.
pub(super) struct Meter {
    limit: RateLimit,
    since: Instant,
}

impl Meter {
    pub(super) fn per_minute(calls: u32) -> Self {
        Self { limit: RateLimit::per_minute(calls), since: Instant::now() }
    }

    /// Uses `calls`; an error says how many seconds to wait, rounded up.
    pub(super) fn take(&self, address: IpAddr, calls: u32) -> Result<(), u64> {
        self.limit
            .take(address, calls, self.since.elapsed())
            .map_err(|wait| wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)))
    }
}

/// The middleware of one connection.
#[derive(Clone)]
pub(super) struct Throttled<S> {
    pub(super) inner: S,
    pub(super) meter: Option<Arc<Meter>>,
    pub(super) address: IpAddr,
}

impl<S> Throttled<S> {
    fn take(&self, calls: u32) -> Result<(), ErrorObjectOwned> {
        let Some(meter) = &self.meter else { return Ok(()) };
        meter.take(self.address, calls).map_err(|seconds| {
            RpcError::busy(format!("{} calls too fast; wait {seconds} s", self.address))
                .with_details(json!({ "retryAfterSeconds": seconds }))
                .into()
        })
    }
}

impl<S> RpcServiceT for Throttled<S>
where
    S: RpcServiceT<
            MethodResponse = MethodResponse,
            BatchResponse = MethodResponse,
            NotificationResponse = MethodResponse,
        > + Send
        + Sync,
{
    type MethodResponse = MethodResponse;
    type NotificationResponse = MethodResponse;
    type BatchResponse = MethodResponse;

    fn call<'a>(&self, request: Request<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        match self.take(1) {
            Ok(()) => Either::Left(self.inner.call(request)),
            Err(error) => {
                Either::Right(core::future::ready(MethodResponse::error(request.id.into_owned(), error)))
            }
        }
    }

    fn batch<'a>(&self, requests: Batch<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        match self.take(u32::try_from(requests.len()).unwrap_or(u32::MAX)) {
            Ok(()) => Either::Left(self.inner.batch(requests)),
            Err(error) => Either::Right(core::future::ready(MethodResponse::error(Id::Null, error))),
        }
    }

    fn notification<'a>(
        &self,
        notification: Notification<'a>,
    ) -> impl Future<Output = MethodResponse> + Send + 'a {
        self.inner.notification(notification)
    }
}
