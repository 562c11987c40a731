//! Strict mode: what RFC 3768 and RFC 9568 do not have is taken away.

use std::time::Duration;

use crate::config::apply::Build;
use crate::config::apply::instance::Draft;
use crate::config::model::{HmacMode, InitialState, Version};

use super::instance::{is_owner, version};

/// How many adverts a backup waits for, according to the standards.
const DOWN_TIMER_ADVERTS: u8 = 3;

/// Whether an instance is strict.
pub(super) fn is_strict(b: &Build<'_>, draft: &Draft) -> bool {
    draft.instance.options.strict.or(b.config.globals.options.strict).unwrap_or(false)
}

/// Reports at `keyword` that strict mode does not allow something.
fn error(b: &mut Build<'_>, draft: &Draft, keyword: &str, text: &str) {
    b.report.error(draft.line(keyword), format!("({}) {text}", draft.instance.name));
}

/// Rule 5.3: who owns the addresses is master from the beginning, and nobody else is.
pub(super) fn state(b: &mut Build<'_>, draft: &mut Draft) {
    let expected = if is_owner(draft) { InitialState::Master } else { InitialState::Backup };
    if draft.instance.state.is_some_and(|s| s != expected) {
        error(
            b,
            draft,
            "state",
            "State MASTER must match being address owner in strict mode - changing the state",
        );
        draft.instance.state = Some(expected);
    }
}

/// Rule 5.4: strict mode has no authentication, and a code must be there if it is asked for.
pub(super) fn authentication(b: &mut Build<'_>, draft: &mut Draft) {
    if draft.instance.authentication.take().is_some() | draft.instance.options.auth_ah.take().is_some() {
        error(b, draft, "authentication", "Strict mode does not support authentication. Ignoring.");
    }
    if draft.instance.options.hmac.as_ref().is_some_and(|h| h.mode != HmacMode::Enforce) {
        error(b, draft, "auth_hmac", "Strict mode requires auth_hmac mode enforce - using it");
        if let Some(hmac) = &mut draft.instance.options.hmac {
            hmac.mode = HmacMode::Enforce;
        }
    }
}

/// Rule 5.6: adverts go to everybody. 2.2.7 lets it pass, later versions do not start.
pub(super) fn unicast(b: &mut Build<'_>, draft: &Draft) {
    if !draft.instance.peers.is_empty() {
        let text = format!("({}) unicast_peer is incompatible with strict mode", draft.instance.name);
        let hint = "keepalived 2.2.8 and later do not start with it";
        b.report.warning(draft.line("unicast_peer"), text).hint(hint);
    }
}

/// Rule 5.8: a virtual router's hardware address is the standard's.
pub(super) fn hardware_address(b: &mut Build<'_>, draft: &mut Draft) {
    let vmac = draft.instance.options.vmac.as_mut();
    if vmac.and_then(|v| v.mac.take()).is_some() {
        error(b, draft, "use_vmac", "cannot specify MAC address with strict mode - clearing");
    }
}

/// Rule 5.12: times that the standards do not have.
pub(super) fn timers(b: &mut Build<'_>, draft: &mut Draft) {
    if draft.instance.preempt_delay.is_some_and(|d| d > Duration::ZERO) {
        error(b, draft, "preempt_delay", "preempt_delay is incompatible with strict mode - resetting");
        draft.instance.preempt_delay = None;
    }
    let adverts = draft.instance.down_timer_adverts.or(b.config.globals.down_timer_adverts);
    if adverts.is_some_and(|n| n != DOWN_TIMER_ADVERTS) {
        error(
            b,
            draft,
            "down_timer_adverts",
            "down_timer_adverts is incompatible with strict mode - resetting to 3",
        );
        draft.instance.down_timer_adverts = Some(DOWN_TIMER_ADVERTS);
    }
}

/// Rule 5.13: in version 2, only the owner of an address accepts what is sent to it.
pub(super) fn accept(b: &mut Build<'_>, draft: &mut Draft) {
    let options = &draft.instance.options;
    if options.accept == Some(true) && version(b, draft) == Version::V2 && !is_owner(draft) {
        let text = "accept does not comply with RFC 3768, which strict mode asks for - not accepting";
        error(b, draft, "accept", text);
        draft.instance.options.accept = Some(false);
    }
}

/// Rule 5.15: messages that the standards do not have.
pub(super) fn messages(b: &mut Build<'_>, draft: &mut Draft) {
    if draft.instance.garp.lower_prio_delay.is_some_and(|d| d > Duration::ZERO) {
        error(b, draft, "garp_lower_prio_delay", "Strict mode requires no repeat garp delay - resetting");
        draft.instance.garp.lower_prio_delay = Some(Duration::ZERO);
    }
    if draft.instance.garp.lower_prio_repeat.is_some_and(|n| n > 0) {
        error(b, draft, "garp_lower_prio_repeat", "Strict mode requires no repeat garps - resetting");
        draft.instance.garp.lower_prio_repeat = Some(0);
    }
    if draft.instance.lower_prio_no_advert == Some(false) {
        error(b, draft, "lower_prio_no_advert", "Strict mode requires no lower priority advert - resetting");
        draft.instance.lower_prio_no_advert = Some(true);
    }
    if draft.instance.higher_prio_send_advert == Some(true) {
        error(
            b,
            draft,
            "higher_prio_send_advert",
            "Strict mode requires higher_prio_send_advert to be off - resetting",
        );
        draft.instance.higher_prio_send_advert = Some(false);
    }
}

/// Rule 5.22: a strict instance has addresses.
pub(super) fn addresses(b: &mut Build<'_>, draft: &mut Draft) {
    if std::mem::take(&mut draft.instance.options.no_addresses) {
        error(
            b,
            draft,
            "no_virtual_ipaddress",
            "no_virtual_ipaddress is incompatible with strict mode - ignoring it",
        );
    }
}
