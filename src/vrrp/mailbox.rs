//! Queues within one plane. Unlike a channel between threads, one in which nothing waits takes next to no memory, which
//! counts when there are thousands.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

/// A new queue, in which at most `limit` messages wait.
pub fn mailbox<T>(limit: usize) -> (Post<T>, Mailbox<T>) {
    let queue = Rc::new(RefCell::new(Queue { waiting: VecDeque::new(), limit, reader: None }));
    (Post(Rc::clone(&queue)), Mailbox(queue))
}

struct Queue<T> {
    waiting: VecDeque<T>,
    limit: usize,
    reader: Option<Waker>,
}

/// The end that messages go in at.
pub struct Post<T>(Rc<RefCell<Queue<T>>>);

/// The end that they come out at.
pub struct Mailbox<T>(Rc<RefCell<Queue<T>>>);

impl<T> Post<T> {
    /// Puts a message in. Gives whether there was room. Nobody may read it any more.
    pub fn send(&self, message: T) -> bool {
        let mut queue = self.0.borrow_mut();
        if queue.waiting.len() >= queue.limit {
            return false;
        }
        queue.waiting.push_back(message);
        let reader = queue.reader.take();
        drop(queue);
        if let Some(reader) = reader {
            reader.wake();
        }
        true
    }
}

impl<T> Clone for Post<T> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<T> Mailbox<T> {
    /// The next message, as soon as there is one.
    pub async fn recv(&mut self) -> T {
        poll_fn(|cx| match self.try_recv() {
            Some(message) => Poll::Ready(message),
            None => {
                self.0.borrow_mut().reader = Some(cx.waker().clone());
                Poll::Pending
            }
        })
        .await
    }

    /// The next message, if there is one.
    pub fn try_recv(&mut self) -> Option<T> {
        let mut queue = self.0.borrow_mut();
        let message = queue.waiting.pop_front();
        if queue.waiting.is_empty() {
            // Its memory is somebody else's until the next one comes.
            queue.waiting = VecDeque::new();
        }
        message
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Wake};

    use super::*;

    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn messages_come_in_order_and_wake_who_waits() {
        let (post, mut mailbox) = mailbox(2);
        let wakes = Arc::new(Wakes::default());
        let waker = Waker::from(Arc::clone(&wakes));
        let mut context = Context::from_waker(&waker);
        {
            let mut waiting = pin!(mailbox.recv());
            assert_eq!(waiting.as_mut().poll(&mut context), Poll::Pending);
            assert!(post.send(1));
            assert!(post.clone().send(2));
            assert!(!post.send(3), "it is full");
            assert_eq!(wakes.0.load(Ordering::Relaxed), 1, "woken once");
            assert_eq!(waiting.as_mut().poll(&mut context), Poll::Ready(1));
        }
        assert_eq!(mailbox.try_recv(), Some(2));
        assert_eq!(mailbox.try_recv(), None);
        assert!(post.send(4), "there is room again");
        assert_eq!(pin!(mailbox.recv()).poll(&mut context), Poll::Ready(4));
    }
}
