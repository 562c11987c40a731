//! Tells the service manager that the daemon is alive, as long as both planes are.

use std::rc::Rc;

use tokio::sync::mpsc::WeakUnboundedSender;
use tokio::sync::oneshot;

use super::fast::Order;
use crate::host::{Plane, Supervisor};

/// How often in the time that the service manager waits.
const OFTEN: u32 = 4;

/// Begins with it, if the service manager wants to know; ends when the daemon stops. The fast plane is asked each time:
/// while it does not answer, nothing is said.
pub(super) fn start(slow: &Plane, supervisor: Rc<dyn Supervisor>, orders: WeakUnboundedSender<Order>) {
    let Some(patience) = supervisor.watchdog() else { return };
    let plane = slow.clone();
    let task = async move {
        loop {
            let (reply, answer) = oneshot::channel();
            let asked = orders.upgrade().is_some_and(|orders| orders.send(Order::Answer(reply)).is_ok());
            if !asked || answer.await.is_err() {
                break;
            }
            supervisor.alive();
            plane.sleep(patience / OFTEN).await;
        }
    };
    slow.tasks.spawn("watchdog", Box::pin(task));
}
