//! How adverts are authenticated.

use std::time::Duration;

use crate::base::Family;
use crate::config::model::{self, Version, VrrpInstance};
use crate::vrrp::auth::{Authentication, Hmac};

/// The window unless written is three intervals, but at least and at most this.
const WINDOWS: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(300));

/// Password and AH are for version 2 over IPv4; `auth_hmac` excludes them.
pub(super) fn resolve(instance: &VrrpInstance, version: Version, family: Family) -> Authentication {
    if let Some(hmac) = &instance.options.hmac {
        return Authentication::Hmac(resolve_hmac(
            hmac,
            super::instance::advert_int(version, instance.advert_int),
        ));
    }
    if (version, family) != (Version::V2, Family::V4) {
        return Authentication::None;
    }
    match (&instance.authentication, instance.options.auth_ah) {
        (_, Some(key)) => Authentication::Ah(key),
        (Some(model::Authentication::Pass(password)), None) => Authentication::Password(*password),
        (None, None) => Authentication::None,
    }
}

fn resolve_hmac(written: &model::Hmac, advert_int: Duration) -> Hmac {
    let (shortest, longest) = WINDOWS;
    // Stamps have whole seconds to compare, so a fraction counts as one.
    let default = Duration::from_secs((advert_int * 3).as_millis().div_ceil(1000) as u64);
    let window = written.window.unwrap_or(default.clamp(shortest, longest));
    Hmac {
        keys: written.keys.iter().map(|(id, key)| (*id, key.0.clone())).collect(),
        active: written.active.unwrap_or_default(),
        mode: written.mode,
        window: (!written.monotonic).then_some(window),
    }
}
