//! How it is known that a link works: who is asked, and how long a change has to last.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::base::IfName;
use crate::config::model::{Config, LinkbeatMethod};
use crate::host::CarrierMethod;
use crate::kernel::debounce::Delay;

use super::{InstancePlan, Subject};

/// `interface_up_down_delays`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkDelays {
    /// By interface.
    pub delays: BTreeMap<IfName, Delay>,
    /// Those that were shortened.
    pub shortened: Vec<ShortenedDelay>,
}

/// A delay within which peers would give up a master whose link is down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShortenedDelay {
    /// The instance.
    pub instance: String,
    /// The interface.
    pub interface: IfName,
    /// How many advert intervals the delay has to be shorter than.
    pub adverts: u8,
}

/// A link that `instances` use or track must not be believed for so long that peers take over meanwhile.
pub(super) fn resolve(config: &Config, instances: &[Arc<InstancePlan>]) -> LinkDelays {
    let mut plan = LinkDelays::default();
    for written in &config.link_delays {
        let mut delay = Delay { down: written.down, up: written.up };
        let what = Subject::Interface(written.interface.clone());
        let uses = |i: &&Arc<InstancePlan>| {
            i.interface.as_ref() == Some(&written.interface) || i.tracks.iter().any(|t| t.what == what)
        };
        for instance in instances.iter().filter(uses) {
            let adverts = instance.params.down_timer_adverts - 1;
            let limit = instance.params.advert_int * u32::from(adverts);
            // Less by the smallest skew that a priority can make.
            let most = limit.saturating_sub(instance.params.advert_int / 256);
            let longest = |delay: Duration| if delay >= limit { most } else { delay };
            let short = Delay { down: longest(delay.down), up: longest(delay.up) };
            if short != delay {
                let (instance, interface) = (instance.name.clone(), written.interface.clone());
                plan.shortened.push(ShortenedDelay { instance, interface, adverts });
                delay = short;
            }
        }
        plan.delays.insert(written.interface.clone(), delay);
    }
    plan
}

/// An interface that is asked for its carrier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkbeatPlan {
    /// The interface.
    pub interface: IfName,
    /// The first way to ask it; if it does not work, those behind it are tried.
    pub method: CarrierMethod,
}

/// `linkbeat_interfaces`; with `linkbeat_use_polling` also whatever instances use or track.
pub(super) fn linkbeats(config: &Config, instances: &[Arc<InstancePlan>]) -> Vec<LinkbeatPlan> {
    let mut plans: Vec<LinkbeatPlan> = Vec::new();
    for written in &config.linkbeats {
        let method = match written.method {
            None | Some(LinkbeatMethod::Mii) => CarrierMethod::Mii,
            Some(LinkbeatMethod::Ethtool) => CarrierMethod::Ethtool,
            Some(LinkbeatMethod::Ioctl) => CarrierMethod::Flags,
        };
        if plans.iter().all(|plan| plan.interface != written.interface) {
            plans.push(LinkbeatPlan { interface: written.interface.clone(), method });
        }
    }
    let polling = config.instances.iter().filter(|i| i.options.linkbeat_polling);
    let polling: BTreeSet<&str> = polling.map(|i| i.name.as_str()).collect();
    let mut used = BTreeSet::new();
    for instance in instances {
        if config.top.linkbeat_polling || polling.contains(instance.name.as_str()) {
            used.extend(&instance.interface);
        }
        if config.top.linkbeat_polling {
            used.extend(instance.tracks.iter().filter_map(|track| match &track.what {
                Subject::Interface(interface) => Some(interface),
                _ => None,
            }));
        }
    }
    for interface in used {
        if plans.iter().all(|plan| plan.interface != *interface) {
            plans.push(LinkbeatPlan { interface: interface.clone(), method: CarrierMethod::Mii });
        }
    }
    plans
}
