//! The rate limit per address: as many calls as the limit at once, then one each time that one is earned.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Addresses remembered. Beyond that, those not remembered share one allowance.
const MAX_ADDRESSES: usize = 10_000;

/// When an address will have earned back all that it has used (the "theoretical arrival time" of the generic cell
/// rate algorithm, ITU-T I.371).
type Settled = Duration;

/// Calls per minute and address.
pub(super) struct RateLimit {
    /// Time in which one call is earned.
    interval: Duration,
    /// Time in which all are earned.
    window: Duration,
    addresses: Mutex<HashMap<IpAddr, Settled>>,
}

/// The part of an address that one user can be expected to have: of IPv6, a /64.
fn user(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let prefix = u128::from(address) >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from(prefix))
        }
    }
}

impl RateLimit {
    pub(super) fn per_minute(calls: u32) -> Self {
        let calls = calls.max(1);
        let interval = Duration::from_secs(60) / calls;
        Self { interval, window: interval * calls, addresses: Mutex::default() }
    }

    /// Uses `calls` of what `address` may do at `now`, a time since any fixed moment; an error says how long to
    /// wait for them. Asking for none answers whether one would be allowed.
    pub(super) fn take(&self, address: IpAddr, calls: u32, now: Duration) -> Result<(), Duration> {
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        let mut user = user(address);
        if addresses.len() >= MAX_ADDRESSES && !addresses.contains_key(&user) {
            addresses.retain(|_, settled| *settled > now);
            if addresses.len() >= MAX_ADDRESSES {
                user = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
            }
        }
        let before = addresses.get(&user).copied().unwrap_or_default().max(now);
        let after = before.saturating_add(self.interval.saturating_mul(calls.max(1)));
        let limit = now.saturating_add(self.window);
        if after > limit {
            return Err(after.saturating_sub(limit));
        }
        if calls > 0 {
            addresses.insert(user, after);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn address(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    #[test]
    fn an_address_may_do_its_minute_at_once_and_then_earns_each_call() {
        let limit = RateLimit::per_minute(60);
        assert_eq!(limit.take(address(1), 60, SECOND), Ok(()));
        assert_eq!(limit.take(address(1), 1, SECOND), Err(SECOND));
        assert_eq!(limit.take(address(2), 1, SECOND), Ok(()));
        assert_eq!(limit.take(address(1), 1, SECOND * 2), Ok(()));
        assert_eq!(limit.take(address(1), 5, SECOND * 2), Err(SECOND * 5));
        assert_eq!(limit.take(address(1), 60, SECOND * 62), Ok(()));
    }

    #[test]
    fn asking_costs_nothing() {
        let limit = RateLimit::per_minute(1);
        assert_eq!(limit.take(address(1), 0, SECOND), Ok(()));
        assert_eq!(limit.take(address(1), 1, SECOND), Ok(()));
        assert!(limit.take(address(1), 0, SECOND).is_err());
    }

    #[test]
    fn one_users_ipv6_addresses_share_and_a_mapped_address_is_ipv4() {
        let limit = RateLimit::per_minute(1);
        assert!(limit.take("2001:db8::1".parse().unwrap(), 1, SECOND).is_ok());
        assert!(limit.take("2001:db8::2".parse().unwrap(), 1, SECOND).is_err());
        assert!(limit.take("2001:db8:0:1::1".parse().unwrap(), 1, SECOND).is_ok());
        assert!(limit.take(address(1), 1, SECOND).is_ok());
        assert!(limit.take("::ffff:10.0.0.1".parse().unwrap(), 1, SECOND).is_err());
    }

    #[test]
    fn a_flood_of_addresses_takes_bounded_memory() {
        let limit = RateLimit::per_minute(1);
        for number in 0..20_000_u32 {
            let _ = limit.take(IpAddr::from(number.to_be_bytes()), 1, SECOND);
        }
        assert!(limit.addresses.lock().unwrap().len() <= MAX_ADDRESSES + 1);
        assert!(limit.take(address(9), 1, SECOND).is_err());
        assert!(limit.take(address(9), 1, SECOND * 62).is_ok());
    }
}
